"""Points come in: for a bill, as a bonus, by hand."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from customers.models import Customer
from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.errors import IdempotencyMismatch, ValidationFailed
from marketing.core.prepared import bigints, send_later
from marketing.core.sentences import gettext as _
from marketing.core.whole import whole
from marketing.loyalty import rules, selectors
from marketing.loyalty.models import Account, Kind, LoyaltyProgramme, PointsTransaction
from marketing.loyalty.services import tiers
from marketing.loyalty.services.entering import Entered, enter
from marketing.loyalty.services.posting import (
    Posted,
    Source,
    begin,
    find,
    note_next_expiry,
    settle_debt,
    whole_points,
    zone,
)
from marketing.loyalty.services.settling import settle_now

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


KEEP = """
WITH lines AS (
    INSERT INTO loyalty_earnedline
        (tenant_id, transaction_id, ref, net_paise, points, refunded_paise, reversed_points)
    SELECT %(tenant)s, %(made)s, line.ref, line.paise, line.points, 0, 0
    FROM unnest(%(refs)s::text[], %(paise)s::bigint[], %(points)s::bigint[])
        AS line (ref, paise, points)
), lot AS (
    INSERT INTO loyalty_pointslot (tenant_id, customer_id, transaction_id, points, remaining,
        is_pending, earned_at, active_at, due_on, expires_on, expires_at)
    SELECT %(tenant)s, %(customer)s, %(made)s, %(lot)s::bigint, %(lot)s::bigint, %(is_pending)s,
           %(earned_at)s, %(active_at)s, %(expires_on)s::date, %(expires_on)s::date,
           %(expires_at)s::timestamptz
    WHERE %(lot)s::bigint > 0
    RETURNING is_pending, expires_on
)
UPDATE loyalty_pointsaccount account
SET next_expiry_on = least(account.next_expiry_on, lot.expires_on)
FROM lot WHERE account.customer_id = %(customer)s AND NOT lot.is_pending
  AND lot.expires_on IS NOT NULL
"""


@whole()
def earn_points(
    *,
    actor: Actor,
    customer: Customer,
    source: Source,
    lines: Sequence[BillLine],
    branch_id: uuid.UUID | None = None,
    at: dt.datetime | None = None,
    her: Entered | None = None,
) -> PointsTransaction | None:
    """Give the points of a bill, as the programme and her tier say now; none while it is off.

    Posting the same source again changes nothing and gives what was posted. `her`: the customer,
    entered in this transaction. Raises `ValidationFailed` at `lines`, `IdempotencyMismatch` when
    the source was somebody else's.
    """
    her = her or enter(customer.pk, clock.now())
    if not her.programme.is_enabled:
        return find(source, Kind.EARN)
    _check_lines(lines)
    spend = sum(line.net_paise for line in lines)
    parts = rules.points_of_lines(
        [
            rules.EarnLine(
                line.ref, line.net_paise, her.rates.of(line.service_id, line.category_id)
            )
            for line in lines
        ],
        her.tier.multiplier if her.tier else rules.ONCE,
    )
    points = sum(parts)
    if points > rules.MAX_POINTS:
        raise ValidationFailed(fields={"lines": [_("These are too many points.")]})
    lot = _Lot.of(her.programme, points, at or clock.now(), her.programme.pending_days)
    posted = begin(
        actor=actor,
        customer_id=her.customer_id,
        kind=Kind.EARN,
        source=source,
        points=points,
        spend_paise=spend,
        tier_points=points,
        at=lot.earned_at,
        branch_id=branch_id,
        amounts=lot.amounts,
    )
    made = posted.transaction
    if posted.is_repeat:
        if made.spend_paise != spend:
            raise IdempotencyMismatch()
        return made
    _keep(posted, lot, lines, parts)
    tiers.upgrade(her)
    tell("loyalty.points_earned", actor, made)
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
    points = selectors.bonus_points(bonus)
    if not points:
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
    her = enter(customer.pk, clock.now(), even_if_off=True)
    lot = _Lot.of(her.programme, points, clock.now(), 0)
    posted = begin(
        actor=actor,
        customer_id=her.customer_id,
        kind=kind,
        source=source,
        points=points,
        tier_points=points if kind == Kind.BONUS else 0,
        at=lot.earned_at,
        branch_id=branch_id,
        reason=reason,
        amounts=lot.amounts,
    )
    if posted.is_repeat and posted.transaction.points != points:
        raise IdempotencyMismatch()
    if not posted.is_repeat:
        _keep(posted, lot)
        tiers.upgrade(her)
        tell("loyalty.points_earned", actor, posted.transaction)
    return posted.transaction


@dataclass(frozen=True, slots=True)
class _Lot:
    """Points that come in together; no lot is kept of none."""

    points: int
    earned_at: dt.datetime
    life: rules.Life
    is_pending: bool

    @classmethod
    def of(
        cls, programme: LoyaltyProgramme, points: int, at: dt.datetime, pending_days: int
    ) -> "_Lot":
        life = rules.life(
            at, pending_days, programme.expiry_months, programme.expiry_rounding, zone()
        )
        return cls(points, at, life, life.active_at > clock.now())

    @property
    def amounts(self) -> dict[Account, int]:
        """What is posted of them."""
        if not self.points:
            return {}
        where = Account.PENDING if self.is_pending else Account.AVAILABLE
        return {Account.ISSUED: -self.points, where: self.points}


def _check_lines(lines: Sequence[BillLine]) -> None:
    if not 1 <= len(lines) <= MOST_LINES:
        raise ValidationFailed(fields={"lines": [_("From 1 to 1,000 lines.")]})
    if len({line.ref for line in lines}) != len(lines):
        raise ValidationFailed(fields={"lines": [_("Each line once.")]})
    for line in lines:
        if not line.ref or len(line.ref) > 100:
            raise ValidationFailed(fields={"lines": [_("A line has a name.")]})
        check_paise(line.net_paise, 0)


def check_paise(paise: int, least: int) -> None:
    if isinstance(paise, bool) or not isinstance(paise, int):
        raise ValidationFailed(fields={"lines": [_("Amounts are whole paise.")]})
    if not least <= paise <= rules.MAX_PAISE:
        raise ValidationFailed(fields={"lines": [_("This amount is out of range.")]})


def _keep(
    posted: Posted, lot: _Lot, lines: Sequence[BillLine] = (), parts: Sequence[int] = ()
) -> None:
    """Write the lot and the lines; what she owes is made good at once."""
    made, life, now = posted.transaction, lot.life, clock.now()
    send_later(
        KEEP,
        {
            "tenant": made.tenant_id,
            "customer": made.customer_id,
            "made": made.pk,
            "refs": [line.ref for line in lines],
            "paise": bigints(line.net_paise for line in lines),
            "points": bigints(parts),
            "lot": str(lot.points),
            "is_pending": lot.is_pending,
            "earned_at": lot.earned_at,
            "active_at": life.active_at,
            "expires_on": life.expires_on,
            "expires_at": life.expires_at,
        },
    )
    if lot.points and life.expires_at and life.expires_at <= now:
        settle_now(made.customer_id, now)  # a bill that comes this late
    elif lot.points and not lot.is_pending and posted.owed:
        settle_debt(made, made.customer_id, posted.available, posted.owed, now)
        note_next_expiry([made.customer_id])


def tell(name: str, actor: Actor, made: PointsTransaction) -> None:
    """Record the event for who listens."""
    events.record(
        name,
        {
            "customerId": str(made.customer_id),
            "points": made.points,
            "source": {"type": made.source_type, "id": made.source_id},
        },
        actor_id=actor.user_id,
    )
