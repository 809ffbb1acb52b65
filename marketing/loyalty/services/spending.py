"""Points go out in two steps: held while she pays, then used, given back, or run out."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from customers.models import Customer
from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.errors import IdempotencyMismatch, NotFound, ValidationFailed
from marketing.loyalty import rules, selectors
from marketing.loyalty.errors import (
    NothingToReverse,
    PointsHoldOver,
    ProgrammeOff,
    RedemptionLimit,
)
from marketing.loyalty.models import (
    Account,
    HoldState,
    Kind,
    LotUse,
    PointsHold,
    PointsLot,
    PointsTransaction,
)
from marketing.loyalty.services.posting import (
    Source,
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

END = """
UPDATE loyalty_pointshold SET state = %(state)s, posted = %(posted)s
WHERE id = %(hold)s AND state = 'held' AND (expires_at > %(now)s OR %(state)s <> 'posted')
  AND points >= %(posted)s
"""


@transaction.atomic
def hold_points(
    *,
    actor: Actor,
    customer: Customer,
    points: int,
    source: Source,
    payable_paise: int | None = None,
    minutes: int = rules.HOLD_MINUTES,
    branch_id: uuid.UUID | None = None,
) -> PointsHold:
    """Set points aside for a bill: nobody else can use them, and they no longer expire.

    The same source again gives the hold that it made. `payable_paise` is what is left to pay of
    the bill, of which the programme lets points pay a share. Raises `ProgrammeOff`,
    `ValidationFailed`, `RedemptionLimit`, `NotEnoughPoints`, and `IdempotencyMismatch` when the
    source held something else.
    """
    programme = selectors.programme()
    if not programme.is_enabled and not find(source, Kind.HOLD):
        raise ProgrammeOff()
    whole_points(points)
    _check_minutes(minutes)
    customer_id = stand_in(customer.pk)
    now = clock.now()
    settle(customer_id, now)
    posted = begin(
        actor=actor, customer_id=customer_id, kind=Kind.HOLD, source=source, branch_id=branch_id
    )
    made = posted.transaction
    if posted.is_repeat:
        hold = PointsHold.objects.get(transaction=made)
        if hold.points != points:
            raise IdempotencyMismatch()
        return hold
    _check_limits(
        programme.min_redeem_points, selectors.most_for_bill(programme, payable_paise), points
    )
    post(made, customer_id, {Account.AVAILABLE: -points, Account.HELD: points})
    take_from_lots(made, customer_id, points, now)
    note_next_expiry([customer_id])
    return PointsHold.objects.create(
        customer_id=customer_id,
        transaction=made,
        points=points,
        expires_at=now + dt.timedelta(minutes=minutes),
        created_at=now,
    )


@transaction.atomic
def renew_hold(*, actor: Actor, hold: PointsHold, minutes: int = rules.HOLD_MINUTES) -> PointsHold:
    """Hold on for so many minutes from now, half an hour from the beginning at most."""
    _check_minutes(minutes)
    now = clock.now()
    last = F("created_at") + dt.timedelta(minutes=rules.LONGEST_HOLD_MINUTES)
    until = now + dt.timedelta(minutes=minutes)
    alive = PointsHold.objects.filter(pk=hold.pk, state=HoldState.HELD, expires_at__gt=now)
    if not alive.update(expires_at=Least(last, until)):
        raise _over(hold)
    hold.refresh_from_db()
    return hold


@transaction.atomic
def post_hold(
    *, actor: Actor, hold: PointsHold, source: Source, points: int | None = None
) -> PointsTransaction:
    """Use the held points, or `points` of them: the others are given back.

    The same source again gives what was posted. Raises `PointsHoldOver` when they are no longer
    held, `ValidationFailed` for more than is held.
    """
    held = PointsTransaction.objects.get(pk=hold.transaction_id)
    used = hold.points if points is None else whole_points(points)
    if used > hold.points:
        raise ValidationFailed(fields={"points": [_("More than is held.")]})
    customer_id = stand_in(hold.customer_id)
    now = clock.now()
    settle(customer_id, now)
    posted = begin(
        actor=actor,
        customer_id=customer_id,
        kind=Kind.POST,
        source=source,
        origin=held,
        points=-used,
        branch_id=held.branch_id,
    )
    made = posted.transaction
    if posted.is_repeat:
        if made.points != -used:
            raise IdempotencyMismatch()
        return made
    _end(hold, HoldState.POSTED, used, now)
    post(made, customer_id, {Account.HELD: -used, Account.REDEEMED: used})
    if used < hold.points:
        _give_back(made, held, hold.points - used, Account.HELD, now)
    events.record(
        "loyalty.points_redeemed",
        {
            "customerId": str(customer_id),
            "points": used,
            "source": {"type": source.type, "id": source.id},
        },
        actor_id=actor.user_id,
    )
    return made


@transaction.atomic
def void_hold(*, actor: Actor, hold: PointsHold) -> PointsHold:
    """Give the held points back; doing so twice changes nothing.

    Raises `PointsHoldOver` when they were used.
    """
    try:
        end_hold(actor=actor, hold=hold, state=HoldState.VOIDED)
    except PointsHoldOver:
        if _state(hold) == HoldState.POSTED:
            raise
    hold.refresh_from_db()
    return hold


@transaction.atomic
def end_hold(*, actor: Actor, hold: PointsHold, state: str) -> None:
    """Give the held points back as `state` says. Raises `PointsHoldOver` if it is over."""
    held = PointsTransaction.objects.get(pk=hold.transaction_id)
    customer_id = stand_in(hold.customer_id)
    now = clock.now()
    settle(customer_id, now)
    _end(hold, state, 0, now)
    made = begin(
        actor=actor,
        customer_id=customer_id,
        kind=Kind.VOID,
        source=Source("hold", str(hold.pk)),
        origin=held,
    ).transaction
    _give_back(made, held, hold.points, Account.HELD, now)


@transaction.atomic
def reverse_spend(
    *,
    actor: Actor,
    source: Source,
    of: Source,
    points: int | None = None,
    branch_id: uuid.UUID | None = None,
) -> PointsTransaction:
    """Give back the points that `of` used, or some of them, to the lots they came from.

    Those keep their last day: points of a lot that is over come back expired, but for the grace
    days of the programme. What she owes is made good first. Posting the same source again changes
    nothing. Raises `NotFound` for an unknown spend, `NothingToReverse` for more than is left.
    """
    spent = find(of, Kind.POST)
    if spent is None or spent.origin_id is None:
        raise NotFound()
    customer_id = stand_in(spent.customer_id)
    now = clock.now()
    settle(customer_id, now)
    lock_account(customer_id)
    held = PointsTransaction.objects.get(pk=spent.origin_id)
    if find(source, Kind.REVERSE_SPEND):
        return begin(
            actor=actor,
            customer_id=customer_id,
            kind=Kind.REVERSE_SPEND,
            source=source,
            origin=spent,
        ).transaction
    left = sum(use.points - use.returned for use in _uses(held))
    back = left if points is None else whole_points(points)
    if back > left or not left:
        raise NothingToReverse(details={"left": left})
    made = begin(
        actor=actor,
        customer_id=customer_id,
        kind=Kind.REVERSE_SPEND,
        source=source,
        origin=spent,
        points=back,
        branch_id=branch_id,
    ).transaction
    _give_back(made, held, back, Account.REDEEMED, now)
    events.record(
        "loyalty.points_returned",
        {
            "customerId": str(customer_id),
            "points": back,
            "source": {"type": source.type, "id": source.id},
        },
        actor_id=actor.user_id,
    )
    return made


@dataclass
class _Back:
    """What comes back to one customer: to lots that live, and to lots that are over."""

    alive: int = 0
    dead: int = 0


def _give_back(
    made: PointsTransaction,
    held: PointsTransaction,
    points: int,
    out_of: Account,
    now: dt.datetime,
) -> None:
    """Return points to their lots, those taken last first, and post it.

    They are whose the lots are by now. Nobody's held points lie in another's lots: merging moves
    holds and lots together, and undoing a merge ends holds first.
    """
    by_owner = _return_to_lots(held, points, now)
    for owner in sorted(by_owner):
        back = by_owner[owner]
        account = lock_account(owner)
        # Points of a lot that is over still make good what she owes.
        repaid = min(back.dead, account.owed)
        amounts = {
            out_of: -(back.alive + back.dead),
            Account.AVAILABLE: back.alive,
            Account.OWED: repaid,
            Account.EXPIRED: back.dead - repaid,
        }
        available, owed = post(made, owner, amounts)
        settle_debt(made, owner, available, owed, now)
    note_next_expiry(by_owner)


def _return_to_lots(
    held: PointsTransaction, points: int, now: dt.datetime
) -> dict[uuid.UUID, _Back]:
    uses = _uses(held)
    lots = {lot.pk: lot for lot in _lots(uses)}
    programme = selectors.programme()
    by_owner: dict[uuid.UUID, _Back] = defaultdict(_Back)
    changed: list[LotUse] = []
    for use in sorted(uses, key=lambda use: _spend_order(lots[use.lot_id]), reverse=True):
        part = min(points, use.points - use.returned)
        if not part:
            continue
        lot, back = lots[use.lot_id], by_owner[lots[use.lot_id].customer_id]
        use.returned += part
        points -= part
        changed.append(use)
        if _is_alive(lot, programme.grace_days, now):
            lot.remaining += part
            back.alive += part
        else:
            lot.expired += part
            back.dead += part
    if points:
        raise NothingToReverse(details={"left": 0})
    LotUse.objects.bulk_update(changed, ["returned"])
    PointsLot.objects.bulk_update(
        lots.values(), ["remaining", "expired", "expires_on", "expires_at"]
    )
    return by_owner


def _is_alive(lot: PointsLot, grace_days: int, now: dt.datetime) -> bool:
    """Whether points may come back to it; gives it its days of grace if it must."""
    if lot.expires_at is None or lot.due_on is None or now < lot.expires_at:
        return True
    last = lot.due_on + dt.timedelta(days=grace_days)
    end = rules.end_of(last, zone())
    if now >= end:
        return False
    lot.expires_on, lot.expires_at = last, end
    return True


def _uses(held: PointsTransaction) -> list[LotUse]:
    return list(LotUse.objects.filter(transaction=held).order_by("pk").select_for_update())


def _lots(uses: Iterable[LotUse]) -> list[PointsLot]:
    ids = [use.lot_id for use in uses]
    return list(PointsLot.objects.filter(pk__in=ids).order_by("pk").select_for_update())


def _spend_order(lot: PointsLot) -> tuple[bool, dt.datetime, dt.datetime, uuid.UUID]:
    return lot.expires_at is None, lot.expires_at or lot.earned_at, lot.earned_at, lot.pk


def _check_minutes(minutes: int) -> None:
    if not 1 <= minutes <= rules.LONGEST_HOLD_MINUTES:
        raise ValidationFailed(fields={"minutes": [_("From 1 to 30 minutes.")]})


def _check_limits(least: int, most: int | None, points: int) -> None:
    if points < least or (most is not None and points > most):
        raise RedemptionLimit(details={"least": least, "most": most})


def _end(hold: PointsHold, state: str, posted: int, now: dt.datetime) -> None:
    """The one statement that ends a hold; who comes second finds it over."""
    values: dict[str, Any] = {"hold": hold.pk, "state": state, "posted": posted, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(END, values)
        if not cursor.rowcount:
            raise _over(hold)


def _over(hold: PointsHold) -> PointsHoldOver:
    return PointsHoldOver(details={"state": _state(hold)})


def _state(hold: PointsHold) -> str:
    """As the row says by now; one that ran out unnoticed is over too."""
    state: str = PointsHold.objects.values_list("state", flat=True).get(pk=hold.pk)
    return HoldState.EXPIRED if state == HoldState.HELD else state
