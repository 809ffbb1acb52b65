"""Points come in: for a bill, as a bonus, by hand. And go again when the bill is refunded."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from customers.models import Customer
from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.errors import IdempotencyMismatch, NotFound, ValidationFailed
from marketing.loyalty import rules, selectors
from marketing.loyalty.errors import NothingToReverse
from marketing.loyalty.models import (
    Account,
    EarnedLine,
    Kind,
    LoyaltyProgramme,
    PointsLot,
    PointsTransaction,
)
from marketing.loyalty.services import tiers
from marketing.loyalty.services.posting import (
    Source,
    available_now,
    begin,
    find,
    lock_account,
    note_next_expiry,
    post,
    settle_debt,
    stand_in,
    take_from_lots,
    whole_points,
    zone,
)
from marketing.loyalty.services.settling import settle

BONUSES = ("signup", "review", "referral", "birthday")
MOST_LINES = 1_000


@dataclass(frozen=True)
class BillLine:
    """A line of a finalised bill: what was paid for it in paise, without tax, after discounts.

    Points and wallet that paid for it are not in it. `ref` is the bill's own name of the line.
    """

    ref: str
    net_paise: int
    service_id: uuid.UUID | None = None
    category_id: uuid.UUID | None = None


KEEP_LINES = """
INSERT INTO loyalty_earnedline
    (tenant_id, transaction_id, ref, net_paise, points, refunded_paise, reversed_points)
SELECT %(tenant)s, %(made)s, line.ref, line.paise, line.points, 0, 0
FROM unnest(%(refs)s::text[], %(paise)s::bigint[], %(points)s::bigint[])
    AS line (ref, paise, points)
"""


@transaction.atomic
def earn_points(
    *,
    actor: Actor,
    customer: Customer,
    source: Source,
    lines: Sequence[BillLine],
    branch_id: uuid.UUID | None = None,
    at: dt.datetime | None = None,
) -> PointsTransaction | None:
    """Give the points of a bill, as the programme and her tier say now; none while it is off.

    Posting the same source again changes nothing and gives what was posted. Raises
    `ValidationFailed` at `lines`, `IdempotencyMismatch` when the source was somebody else's.
    """
    programme = selectors.programme()
    if not programme.is_enabled:
        return find(source, Kind.EARN)
    _check_lines(lines)
    customer_id = stand_in(customer.pk)
    moment = at or clock.now()
    settle(customer_id, clock.now())
    account = lock_account(customer_id)
    spend = sum(line.net_paise for line in lines)
    rates = selectors.rates(programme)
    multiplier = account.tier.multiplier if account.tier else rules.ONCE
    parts = rules.points_of_lines(
        [
            rules.EarnLine(line.ref, line.net_paise, rates.of(line.service_id, line.category_id))
            for line in lines
        ],
        multiplier,
    )
    if sum(parts) > rules.MAX_POINTS:
        raise ValidationFailed(fields={"lines": [_("These are too many points.")]})
    posted = begin(
        actor=actor,
        customer_id=customer_id,
        kind=Kind.EARN,
        source=source,
        points=sum(parts),
        spend_paise=spend,
        tier_points=sum(parts),
        at=moment,
        branch_id=branch_id,
    )
    made = posted.transaction
    if posted.is_repeat:
        if made.spend_paise != spend:
            raise IdempotencyMismatch()
        return made
    _keep_lines(made, lines, parts)
    _credit(made, programme, sum(parts), pending_days=programme.pending_days)
    tiers.upgrade(customer_id, programme)
    _tell("loyalty.points_earned", actor, made)
    return made


@transaction.atomic
def grant_bonus(
    *,
    actor: Actor,
    customer: Customer,
    bonus: str,
    source: Source,
    branch_id: uuid.UUID | None = None,
) -> PointsTransaction | None:
    """Give a bonus of the programme (`BONUSES`), active at once; None where it gives none."""
    if bonus not in BONUSES:
        raise KeyError(bonus)
    programme = selectors.programme()
    points: int = getattr(programme, f"{bonus}_bonus")
    if not programme.is_enabled or not points:
        return None
    return give_points(
        actor=actor,
        customer=customer,
        points=points,
        source=source,
        reason=bonus,
        branch_id=branch_id,
    )


@transaction.atomic
def give_points(
    *,
    actor: Actor,
    customer: Customer,
    points: int,
    source: Source,
    reason: str,
    branch_id: uuid.UUID | None = None,
    kind: str = Kind.BONUS,
) -> PointsTransaction:
    """Give so many points, active at once, which live as long as those of a bill."""
    whole_points(points)
    programme = selectors.programme()
    customer_id = stand_in(customer.pk)
    settle(customer_id, clock.now())
    posted = begin(
        actor=actor,
        customer_id=customer_id,
        kind=kind,
        source=source,
        points=points,
        tier_points=points if kind == Kind.BONUS else 0,
        branch_id=branch_id,
        reason=reason,
    )
    if posted.is_repeat and posted.transaction.points != points:
        raise IdempotencyMismatch()
    if not posted.is_repeat:
        _credit(posted.transaction, programme, points, pending_days=0)
        tiers.upgrade(customer_id, programme)
        _tell("loyalty.points_earned", actor, posted.transaction)
    return posted.transaction


@transaction.atomic
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
    programme = selectors.programme()
    customer_id = stand_in(earned.customer_id)
    now = clock.now()
    settle(customer_id, now)
    lock_account(customer_id)
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
    claim = _claim(lot, customer_id, points, programme.negative_policy)
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
    ).transaction
    if lot and claim.total:
        _claw_back(made, lot, customer_id, claim, now)
    tiers.recompute(customer_id, programme)
    _tell("loyalty.points_reversed", actor, made)
    return made


def _check_lines(lines: Sequence[BillLine]) -> None:
    if not 1 <= len(lines) <= MOST_LINES:
        raise ValidationFailed(fields={"lines": [_("From 1 to 1,000 lines.")]})
    if len({line.ref for line in lines}) != len(lines):
        raise ValidationFailed(fields={"lines": [_("Each line once.")]})
    for line in lines:
        if not line.ref or len(line.ref) > 100:
            raise ValidationFailed(fields={"lines": [_("A line has a name.")]})
        _check_paise(line.net_paise, 0)


def _check_paise(paise: int, least: int) -> None:
    if isinstance(paise, bool) or not isinstance(paise, int):
        raise ValidationFailed(fields={"lines": [_("Amounts are whole paise.")]})
    if not least <= paise <= rules.MAX_PAISE:
        raise ValidationFailed(fields={"lines": [_("This amount is out of range.")]})


def _keep_lines(made: PointsTransaction, lines: Sequence[BillLine], points: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            KEEP_LINES,
            {
                "tenant": made.tenant_id,
                "made": made.pk,
                "refs": [line.ref for line in lines],
                "paise": [line.net_paise for line in lines],
                "points": list(points),
            },
        )


def _credit(
    made: PointsTransaction, programme: LoyaltyProgramme, points: int, *, pending_days: int
) -> None:
    """Make a lot of the points and post them; what is owed is made good at once."""
    if not points:
        return
    life = rules.life(
        made.at, pending_days, programme.expiry_months, programme.expiry_rounding, zone()
    )
    now = clock.now()
    is_pending = life.active_at > now
    PointsLot.objects.create(
        customer_id=made.customer_id,
        transaction=made,
        points=points,
        remaining=points,
        is_pending=is_pending,
        earned_at=made.at,
        active_at=life.active_at,
        due_on=life.expires_on,
        expires_on=life.expires_on,
        expires_at=life.expires_at,
    )
    where = Account.PENDING if is_pending else Account.AVAILABLE
    available, owed = post(made, made.customer_id, {Account.ISSUED: -points, where: points})
    if life.expires_at and life.expires_at <= now:
        settle(made.customer_id, now)  # a bill that comes this late
    elif not is_pending:
        settle_debt(made, made.customer_id, available, owed, now)
        note_next_expiry([made.customer_id])


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
        _check_paise(paise, 0 if lines is None else 1)
        if paise > line.net_paise - line.refunded_paise:
            raise NothingToReverse(
                fields={"lines": [ref]}, details={"left": line.net_paise - line.refunded_paise}
            )
        line.refunded_paise += paise
        share = rules.points_refunded(line.points, line.net_paise, line.refunded_paise)
        points += share - line.reversed_points
        spend += paise
        line.reversed_points = share
    changed = [kept[ref] for ref, paise in asked.items() if paise]
    EarnedLine.objects.bulk_update(changed, ["refunded_paise", "reversed_points"])
    if kept:
        if lines is None and not (points or spend) and (earned.points or earned.spend_paise):
            raise NothingToReverse(details={"left": 0})
        return points, spend
    return _left_of_lot(earned), 0


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

    @property
    def total(self) -> int:
        return self.own + self.others + self.owing


def _claim(lot: PointsLot | None, customer_id: uuid.UUID, points: int, policy: str) -> _Claim:
    """What of the points the policy takes, and from where; of the locked lot and account."""
    if lot is None or not points:
        return _Claim()
    own = min(points, lot.remaining)
    if policy == rules.ONLY_PENDING:
        return _Claim(own) if lot.is_pending else _Claim()
    # What of the lot was spent and is not yet taken back; what expired is gone already.
    spent = max(0, lot.points - lot.remaining - lot.expired - lot.reversed)
    claim = min(points - own, spent)
    free = available_now(customer_id) - (0 if lot.is_pending else own)
    others = min(claim, free)
    return _Claim(own, others, claim - others if policy == rules.UNLIMITED else 0)


def _claw_back(
    made: PointsTransaction,
    lot: PointsLot,
    customer_id: uuid.UUID,
    claim: _Claim,
    now: dt.datetime,
) -> None:
    PointsLot.objects.filter(pk=lot.pk).update(
        remaining=F("remaining") - claim.own, reversed=F("reversed") + claim.total
    )
    pending = claim.own if lot.is_pending else 0
    post(
        made,
        customer_id,
        {
            Account.PENDING: -pending,
            Account.AVAILABLE: pending - claim.own - claim.others,
            Account.OWED: -claim.owing,
            Account.CLAWED_BACK: claim.total,
        },
    )
    take_from_lots(made, customer_id, claim.others, now)
    note_next_expiry([customer_id])


def _tell(name: str, actor: Actor, made: PointsTransaction) -> None:
    events.record(
        name,
        {
            "customerId": str(made.customer_id),
            "points": made.points,
            "source": {"type": made.source_type, "id": made.source_id},
        },
        actor_id=actor.user_id,
    )
