"""Points that were held or used come back to the lots they were taken from."""

import datetime as dt
import uuid
from collections import defaultdict
from dataclasses import dataclass

from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.prepared import bigints, send_later
from marketing.core.whole import whole
from marketing.loyalty import rules
from marketing.loyalty.errors import NothingToReverse
from marketing.loyalty.models import Account, Kind, LotUse, PointsLot, PointsTransaction
from marketing.loyalty.services.entering import Entered, enter
from marketing.loyalty.services.posting import (
    Source,
    begin,
    find,
    lock_account,
    note_next_expiry,
    post,
    settle_debt,
    whole_points,
    zone,
)

# A transaction takes from each lot once.
RETURN = """
WITH returned AS (
    UPDATE loyalty_lotuse use SET returned = back.returned
    FROM unnest(%(uses)s::uuid[], %(returned)s::bigint[]) AS back (id, returned)
    WHERE use.id = back.id
)
UPDATE loyalty_pointslot lot
SET remaining = back.remaining, expired = back.expired, expires_on = back.expires_on,
    expires_at = back.expires_at
FROM unnest(%(lots)s::uuid[], %(remaining)s::bigint[], %(expired)s::bigint[], %(days)s::date[],
            %(ends)s::timestamptz[])
    AS back (id, remaining, expired, expires_on, expires_at)
WHERE lot.id = back.id
"""


@whole()
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
    now = clock.now()
    her = enter(spent.customer_id, now)
    if find(source, Kind.REVERSE_SPEND):
        return begin(
            actor=actor,
            customer_id=her.customer_id,
            kind=Kind.REVERSE_SPEND,
            source=source,
            origin=spent,
        ).transaction
    left = sum(use.points - use.returned for use in _uses(spent.origin_id))
    back = left if points is None else whole_points(points)
    if back > left or not left:
        raise NothingToReverse(details={"left": left})
    made = begin(
        actor=actor,
        customer_id=her.customer_id,
        kind=Kind.REVERSE_SPEND,
        source=source,
        origin=spent,
        points=back,
        branch_id=branch_id,
    ).transaction
    give_back(made, spent.origin_id, back, Account.REDEEMED, her, now)
    events.record(
        "loyalty.points_returned",
        {
            "customerId": str(her.customer_id),
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


def give_back(
    made: PointsTransaction,
    held_by: uuid.UUID,
    points: int,
    out_of: Account,
    her: Entered,
    now: dt.datetime,
) -> None:
    """Return points that the transaction `held_by` took to their lots, those taken last first.

    They are whose the lots are by now. Nobody's held points lie in another's lots: merging moves
    holds and lots together, and undoing a merge ends holds first.
    """
    by_owner = _return_to_lots(held_by, points, her.programme.grace_days, now)
    for owner in sorted(by_owner):
        back = by_owner[owner]
        # Points of a lot that is over still make good what she owes.
        repaid = min(back.dead, lock_account(owner).owed) if back.dead else 0
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
    held_by: uuid.UUID, points: int, grace_days: int, now: dt.datetime
) -> dict[uuid.UUID, _Back]:
    by_owner: dict[uuid.UUID, _Back] = defaultdict(_Back)
    changed: list[LotUse] = []
    for use in sorted(_uses(held_by), key=lambda use: _spend_order(use.lot), reverse=True):
        part = min(points, use.points - use.returned)
        if not part:
            continue
        lot, back = use.lot, by_owner[use.lot.customer_id]
        use.returned += part
        points -= part
        changed.append(use)
        if _is_alive(lot, grace_days, now):
            lot.remaining += part
            back.alive += part
        else:
            lot.expired += part
            back.dead += part
    if points:
        raise NothingToReverse(details={"left": 0})
    send_later(
        RETURN,
        {
            "uses": [use.pk for use in changed],
            "returned": bigints(use.returned for use in changed),
            "lots": [use.lot_id for use in changed],
            "remaining": bigints(use.lot.remaining for use in changed),
            "expired": bigints(use.lot.expired for use in changed),
            "days": [use.lot.expires_on for use in changed],
            "ends": [use.lot.expires_at for use in changed],
        },
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


def _uses(held_by: uuid.UUID) -> list[LotUse]:
    """What the transaction took, each with its lot, once; locked."""
    uses = LotUse.objects.filter(transaction=held_by).select_related("lot")
    return list(uses.order_by("pk").select_for_update())


def _spend_order(lot: PointsLot) -> tuple[bool, dt.datetime, dt.datetime, uuid.UUID]:
    return lot.expires_at is None, lot.expires_at or lot.earned_at, lot.earned_at, lot.pk
