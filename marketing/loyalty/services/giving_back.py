"""Points that were held or used come back to the lots they were taken from."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.whole import whole
from marketing.loyalty import rules, selectors
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
    stand_in,
    whole_points,
    zone,
)


@whole()
def reverse_spend(
    *,
    actor: Actor,
    source: Source,
    of: Source,
    points: int | None = None,
    branch_id: uuid.UUID | None = None,
    her: Entered | None = None,
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
    customer_id = (her or enter(stand_in(spent.customer_id), now)).customer_id
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
    give_back(made, held, back, Account.REDEEMED, now)
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


def give_back(
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
