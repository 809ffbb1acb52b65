"""Two customers become one, and apart again: totals stay, lots keep their days."""

import uuid
from typing import Any

from django.db import connection

from customers.merging import Merge, move_rows, restore_rows
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty.models import (
    Account,
    HoldState,
    Kind,
    PointsAccount,
    PointsHold,
    PointsLot,
    PointsTransaction,
)
from marketing.loyalty.services.posting import (
    OPEN,
    Source,
    begin,
    note_next_expiry,
    settle_debt,
    transfer,
)
from marketing.loyalty.services.spending import end_hold

TIER = ("tier_id", "tier_since", "tier_until", "tier_in_grace")


def merge_points(merge: Merge) -> dict[str, Any]:
    """Give the survivor the other's lots, holds, balances and tier, if that is the higher one."""
    if not PointsAccount.objects.filter(customer_id=merge.merged).exists():
        return {}
    kept, other = _lock(merge)
    record: dict[str, Any] = {
        "lots": move_rows(PointsLot, merge),
        "holds": move_rows(PointsHold, merge),
        "owed": other.owed,
    }
    amounts = {
        Account.AVAILABLE: other.available,
        Account.PENDING: other.pending,
        Account.HELD: other.held,
        Account.OWED: -other.owed,
    }
    _move(merge.merged, merge.survivor, amounts)
    if _level(other) > _level(kept):
        record["tier"] = {name: _plain(getattr(kept, name)) for name in TIER}
        record["taken"] = str(other.tier_id)
        taken = {name: getattr(other, name) for name in TIER}
        PointsAccount.objects.filter(pk=kept.pk).update(**taken)
    return record


def restore_points(merge: Merge, record: dict[str, Any]) -> None:
    """Give back the lots that came with her as they are now, and of what she owed what is left."""
    if not record:
        return
    kept, _other = _lock(merge)
    _end_holds(merge.survivor)
    lots = PointsLot.objects.filter(pk__in=record["lots"], customer_id=merge.survivor)
    left = list(lots.select_for_update().order_by("pk"))
    kept.refresh_from_db()
    amounts = {
        Account.AVAILABLE: sum(lot.remaining for lot in left if not lot.is_pending),
        Account.PENDING: sum(lot.remaining for lot in left if lot.is_pending),
        Account.OWED: -min(record["owed"], kept.owed),
    }
    restore_rows(PointsLot, merge, record["lots"])
    restore_rows(PointsHold, merge, record["holds"])
    _move(merge.survivor, merge.merged, amounts)
    if record.get("taken") == str(kept.tier_id):
        PointsAccount.objects.filter(pk=kept.pk).update(**record["tier"])


def _move(giver: uuid.UUID, taker: uuid.UUID, amounts: dict[Account, int]) -> None:
    """Post it as one transaction of the taker; what she owes then is made good."""
    made: PointsTransaction = begin(
        actor=Actor.system(current_tenant_id()),
        customer_id=taker,
        kind=Kind.MERGE,
        source=Source("merge", str(uuid.uuid4())),
        points=sum(points for account, points in amounts.items() if account != Account.HELD),
    ).transaction
    available, owed = transfer(made, giver, taker, amounts)
    settle_debt(made, taker, available, owed, clock.now())
    note_next_expiry(sorted((giver, taker)))


def _lock(merge: Merge) -> tuple[PointsAccount, PointsAccount]:
    """Both accounts, opened where there was none, locked in the order of the customers."""
    found = {}
    for pk in sorted((merge.survivor, merge.merged)):
        with connection.cursor() as cursor:
            cursor.execute(OPEN, [current_tenant_id(), pk])
        rows = PointsAccount.objects.select_related("tier").select_for_update(of=("self",))
        found[pk] = rows.get(customer_id=pk)
    return found[merge.survivor], found[merge.merged]


def _end_holds(customer_id: uuid.UUID) -> None:
    """Held points may lie in lots of both: nothing is held while they come apart."""
    system = Actor.system(current_tenant_id())
    for hold in PointsHold.objects.filter(customer_id=customer_id, state=HoldState.HELD):
        end_hold(actor=system, hold=hold, state=HoldState.VOIDED)


def _level(account: PointsAccount) -> int:
    return account.tier.level if account.tier else -1


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else value
