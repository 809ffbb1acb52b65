"""Points of a bill go again when it is refunded: its own first, then as the programme says."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F

from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.prepared import bigints, send_later
from marketing.core.sentences import gettext as _
from marketing.core.whole import whole
from marketing.loyalty import rules
from marketing.loyalty.errors import NothingToReverse
from marketing.loyalty.models import Account, EarnedLine, Kind, PointsLot, PointsTransaction
from marketing.loyalty.services import tiers
from marketing.loyalty.services.earning import check_paise, tell
from marketing.loyalty.services.entering import enter
from marketing.loyalty.services.posting import (
    Source,
    available_now,
    begin,
    find,
    note_next_expiry,
    take_from_lots,
)

KEEP_LINES = """
UPDATE loyalty_earnedline line
SET refunded_paise = changed.paise, reversed_points = changed.points
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS changed (id, paise, points)
WHERE line.id = changed.id
"""


@whole()
def reverse_earn(
    *,
    actor: Actor,
    source: Source,
    of: Source,
    lines: Mapping[str, int] | None = None,
    branch_id: uuid.UUID | None = None,
) -> PointsTransaction:
    """Take back what the bill `of` earned: in proportion to what of each line (by its ref) was
    refunded, in paise; all that is left where `lines` is None.

    Points go from those of the bill that are not active yet, then from the others of the bill,
    then as the programme's policy says. Points of it that have expired are not asked for again.
    Posting the same source again changes nothing. Raises `NotFound` for an unknown bill,
    `NothingToReverse` for more than is left, `ValidationFailed` at `lines`.
    """
    earned = find(of, Kind.EARN) or find(of, Kind.BONUS)
    if earned is None:
        raise NotFound()
    now = clock.now()
    her = enter(earned.customer_id, now)
    customer_id = her.customer_id
    if find(source, Kind.REVERSE_EARN):
        return begin(
            actor=actor,
            customer_id=customer_id,
            kind=Kind.REVERSE_EARN,
            source=source,
            origin=earned,
        ).transaction
    points, spend = _refund_lines(earned, lines)
    lot = PointsLot.objects.select_for_update().filter(transaction=earned).first()
    claim = _claim(lot, customer_id, points, her.programme.negative_policy)
    made = begin(
        actor=actor,
        customer_id=customer_id,
        kind=Kind.REVERSE_EARN,
        source=source,
        origin=earned,
        points=-claim.total,
        spend_paise=-spend,
        tier_points=-points,
        # Tiers ask when the money was spent, not when it was given back.
        at=earned.at,
        branch_id=branch_id,
        amounts=claim.amounts,
    ).transaction
    if lot and claim.total:
        _claw_back(made, lot, claim, now)
    tiers.recompute(her)
    tell("loyalty.points_reversed", actor, made)
    return made


def _refund_lines(earned: PointsTransaction, lines: Mapping[str, int] | None) -> tuple[int, int]:
    """Count the refund at the bill's lines; the points and the paise that go with it."""
    frozen = EarnedLine.objects.filter(transaction=earned).order_by("pk").select_for_update()
    kept = {line.ref: line for line in frozen}
    if lines is None:
        asked = {ref: line.net_paise - line.refunded_paise for ref, line in kept.items()}
    else:
        asked = dict(lines)
    if unknown := set(asked) - set(kept):
        raise ValidationFailed(fields={"lines": [_("Not on this bill: %s") % min(unknown)]})
    points = spend = 0
    for ref, paise in asked.items():
        line = kept[ref]
        check_paise(paise, 0 if lines is None else 1)
        if paise > line.net_paise - line.refunded_paise:
            raise NothingToReverse(
                fields={"lines": [ref]}, details={"left": line.net_paise - line.refunded_paise}
            )
        line.refunded_paise += paise
        share = rules.points_refunded(line.points, line.net_paise, line.refunded_paise)
        points += share - line.reversed_points
        spend += paise
        line.reversed_points = share
    _keep_lines([kept[ref] for ref, paise in asked.items() if paise])
    if kept:
        if lines is None and not (points or spend) and (earned.points or earned.spend_paise):
            raise NothingToReverse(details={"left": 0})
        return points, spend
    return _left_of_lot(earned), 0


def _keep_lines(changed: Sequence[EarnedLine]) -> None:
    """Write what was counted at locked lines."""
    send_later(
        KEEP_LINES,
        [
            [line.pk for line in changed],
            bigints(line.refunded_paise for line in changed),
            bigints(line.reversed_points for line in changed),
        ],
    )


def _left_of_lot(earned: PointsTransaction) -> int:
    """A bonus has no lines: all of it goes, once."""
    lot = PointsLot.objects.filter(transaction=earned).first()
    before = PointsTransaction.objects.filter(
        origin=earned, customer_id=earned.customer_id, kind=Kind.REVERSE_EARN
    )
    if lot is None or before.exists():
        raise NothingToReverse(details={"left": 0})
    return lot.points


@dataclass(frozen=True)
class _Claim:
    """From where points are taken back: the lot's own, her others, what she will earn."""

    own: int = 0
    others: int = 0
    owing: int = 0
    is_pending: bool = False

    @property
    def total(self) -> int:
        return self.own + self.others + self.owing

    @property
    def amounts(self) -> dict[Account, int]:
        """What is posted of them."""
        pending = self.own if self.is_pending else 0
        return {
            Account.PENDING: -pending,
            Account.AVAILABLE: pending - self.own - self.others,
            Account.OWED: -self.owing,
            Account.CLAWED_BACK: self.total,
        }


def _claim(lot: PointsLot | None, customer_id: uuid.UUID, points: int, policy: str) -> _Claim:
    """What of the points the policy takes, and from where; of the locked lot and account."""
    if lot is None or not points:
        return _Claim()
    own = min(points, lot.remaining)
    if policy == rules.ONLY_PENDING:
        return _Claim(own, is_pending=True) if lot.is_pending else _Claim()
    # What of the lot was spent and is not yet taken back; what expired is gone already.
    spent = max(0, lot.points - lot.remaining - lot.expired - lot.reversed)
    claim = min(points - own, spent)
    others = 0
    if claim:
        others = min(claim, available_now(customer_id) - (0 if lot.is_pending else own))
    owing = claim - others if policy == rules.UNLIMITED else 0
    return _Claim(own, others, owing, lot.is_pending)


def _claw_back(made: PointsTransaction, lot: PointsLot, claim: _Claim, now: dt.datetime) -> None:
    """Take from the lots what is posted."""
    PointsLot.objects.filter(pk=lot.pk).update(
        remaining=F("remaining") - claim.own, reversed=F("reversed") + claim.total
    )
    if claim.others:
        take_from_lots(made, made.customer_id, claim.others, now)
    note_next_expiry([made.customer_id])
