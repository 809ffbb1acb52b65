"""How points move: a transaction, its entries and the balance, in one go and never apart.

Who posts holds the customer (`standing_ids`) and moves her balance first, which locks it; then
her lots, in the order in which they are spent.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Sum

from customers.facts import MARK
from customers.services.standing import standing_ids
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import IdempotencyMismatch, ValidationFailed
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.loyalty import rules
from marketing.loyalty.errors import NotEnoughPoints
from marketing.loyalty.models import (
    Account,
    LotUse,
    PointsAccount,
    PointsEntry,
    PointsTransaction,
    Side,
)
from marketing.loyalty.models.ledger import OF_CUSTOMER

# The guard: no balance of hers may go below zero, judged in the statement that moves it.
MOVE = f"""
WITH moved AS (
    UPDATE loyalty_pointsaccount
    SET available = available + %(available)s, pending = pending + %(pending)s,
        held = held + %(held)s, owed = owed + %(owed)s, version = version + 1
    WHERE customer_id = %(customer)s AND available + %(available)s >= 0
      AND pending + %(pending)s >= 0 AND held + %(held)s >= 0 AND owed + %(owed)s >= 0
    RETURNING tenant_id, customer_id, available, owed
), marked AS ({MARK.format(changed="moved")} WHERE %(available)s <> %(owed)s)
SELECT available, owed FROM moved
"""  # noqa: S608  constants
BEGIN = """
INSERT INTO loyalty_pointstransaction (
    tenant_id, customer_id, kind, source_type, source_id, origin_id, branch_id, points,
    spend_paise, tier_points, at, reason, actor_label, user_id)
VALUES (%(tenant)s, %(customer)s, %(kind)s, %(source_type)s, %(source_id)s, %(origin)s,
        %(branch)s, %(points)s, %(spend)s, %(tier_points)s, %(at)s, %(reason)s, %(actor)s, %(user)s)
ON CONFLICT (tenant_id, source_type, source_id, kind) DO NOTHING
RETURNING id
"""
OPEN = f"""
WITH opened AS (
    INSERT INTO loyalty_pointsaccount (tenant_id, customer_id) VALUES (%s, %s)
    ON CONFLICT (customer_id) DO NOTHING RETURNING tenant_id, customer_id
) {MARK.format(changed="opened")}
"""  # noqa: S608  constants
SPENDABLE = """
SELECT id, remaining FROM loyalty_pointslot
WHERE customer_id = %s AND remaining > 0 AND NOT is_pending
  AND (expires_at IS NULL OR expires_at > %s)
ORDER BY expires_at NULLS LAST, earned_at, id FOR UPDATE
"""
TAKE = """
UPDATE loyalty_pointslot lot SET remaining = remaining - taken.points
FROM unnest(%s::uuid[], %s::bigint[]) AS taken (id, points)
WHERE lot.id = taken.id AND remaining >= taken.points
"""
NEXT_EXPIRY = f"""
WITH moved AS (
    UPDATE loyalty_pointsaccount account SET next_expiry_on = lots.first
    FROM (
        SELECT asked.customer_id, (
            SELECT min(expires_on) FROM loyalty_pointslot lot
            WHERE lot.customer_id = asked.customer_id AND remaining > 0 AND NOT is_pending
        ) AS first
        FROM unnest(%s::uuid[]) AS asked (customer_id)
    ) lots
    WHERE account.customer_id = lots.customer_id
      AND account.next_expiry_on IS DISTINCT FROM lots.first
    RETURNING account.tenant_id, account.customer_id
) {MARK.format(changed="moved")}
"""  # noqa: S608  constants


@dataclass(frozen=True)
class Source:
    """What a posting is for, as its own system names it: each is posted once for each kind."""

    type: str
    id: str


@dataclass(frozen=True)
class Posted:
    """A transaction, and whether it had been posted before."""

    transaction: PointsTransaction
    is_repeat: bool


def whole_points(points: int, field: str = "points") -> int:
    """Raises `ValidationFailed` for what is no number of points from 1 to `MAX_POINTS`."""
    if isinstance(points, bool) or not isinstance(points, int):
        raise ValidationFailed(fields={field: ["A whole number."]})
    if not 1 <= points <= rules.MAX_POINTS:
        raise ValidationFailed(fields={field: [f"From 1 to {rules.MAX_POINTS}."]})
    return points


def stand_in(customer_id: uuid.UUID) -> uuid.UUID:
    """Who stands for the customer now, held against merging; she has an account from now on."""
    pk = standing_ids([customer_id])[customer_id]
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [current_tenant_id(), pk])
    return pk


def begin(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    kind: str,
    source: Source,
    points: int = 0,
    spend_paise: int = 0,
    tier_points: int = 0,
    at: dt.datetime | None = None,
    origin: PointsTransaction | None = None,
    branch_id: uuid.UUID | None = None,
    reason: str = "",
) -> Posted:
    """Write the transaction, or find what was posted for this source and kind before.

    Raises `IdempotencyMismatch` when that was of somebody else, or completes something else.
    """
    if not source.type or not source.id or len(source.type) > 30 or len(source.id) > 120:
        raise ValidationFailed(fields={"source": ["A type and an id, within their lengths."]})
    moment = at or clock.now()
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "customer": customer_id,
        "kind": kind,
        "source_type": source.type,
        "source_id": source.id,
        "origin": origin.pk if origin else None,
        "branch": branch_id,
        "points": points,
        "spend": spend_paise,
        "tier_points": tier_points,
        "at": moment,
        "reason": reason,
        "actor": actor.label[:150],
        "user": actor.user_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, values)
        row = cursor.fetchone()
    if row is None:
        return Posted(_posted_before(customer_id, kind, source, origin), True)
    made = PointsTransaction(
        pk=row[0],
        tenant_id=current_tenant_id(),
        customer_id=customer_id,
        kind=kind,
        source_type=source.type,
        source_id=source.id,
        origin=origin,
        branch_id=branch_id,
        points=points,
        spend_paise=spend_paise,
        tier_points=tier_points,
        at=moment,
        reason=reason,
    )
    return Posted(made, False)


def find(source: Source, kind: str) -> PointsTransaction | None:
    """What was posted for the source."""
    rows = PointsTransaction.objects.filter(source_type=source.type, source_id=source.id)
    return rows.filter(kind=kind).first()


def _posted_before(
    customer_id: uuid.UUID, kind: str, source: Source, origin: PointsTransaction | None
) -> PointsTransaction:
    found = PointsTransaction.objects.get(source_type=source.type, source_id=source.id, kind=kind)
    if found.origin_id != (origin.pk if origin else None):
        raise IdempotencyMismatch()
    # She may have been merged since.
    if standing_ids([found.customer_id])[found.customer_id] != customer_id:
        raise IdempotencyMismatch()
    return found


def post(
    made: PointsTransaction, customer_id: uuid.UUID, amounts: Mapping[Account, int]
) -> tuple[int, int]:
    """Write the entries and move her balances; what is available and owed afterwards.

    `amounts` are credits (debits are negative) and add up to zero. Raises `NotEnoughPoints` when
    a balance would go below zero.
    """
    if sum(amounts.values()):
        raise ValueError(f"{amounts} do not balance")
    after = _move(customer_id, amounts)
    PointsEntry.objects.bulk_create(_entries(made, customer_id, amounts))
    return after


def transfer(
    made: PointsTransaction, giver: uuid.UUID, taker: uuid.UUID, amounts: Mapping[Account, int]
) -> tuple[int, int]:
    """Move amounts from one customer to another; what the taker has available and owes then."""
    out = {account: -points for account, points in amounts.items()}
    _move(giver, out)
    after = _move(taker, amounts)
    entries = [*_entries(made, giver, out), *_entries(made, taker, amounts)]
    PointsEntry.objects.bulk_create(entries)
    return after


def _move(customer_id: uuid.UUID, amounts: Mapping[Account, int]) -> tuple[int, int]:
    moved = {account.value: amounts.get(account, 0) for account in OF_CUSTOMER}
    moved["owed"] = -moved["owed"]
    with connection.cursor() as cursor:
        cursor.execute(MOVE, {**moved, "customer": customer_id})
        row: tuple[int, int] | None = cursor.fetchone()
    if row is None:
        raise NotEnoughPoints(details={"available": available_now(customer_id)})
    return row


def _entries(
    made: PointsTransaction, customer_id: uuid.UUID, amounts: Mapping[Account, int]
) -> list[PointsEntry]:
    return [
        PointsEntry(
            transaction=made,
            account=account,
            customer_id=customer_id if account in OF_CUSTOMER else None,
            side=Side.CREDIT if points > 0 else Side.DEBIT,
            points=abs(points),
        )
        for account, points in amounts.items()
        if points
    ]


def available_now(customer_id: uuid.UUID) -> int:
    """What the account row says."""
    found = PointsAccount.objects.filter(customer_id=customer_id).values_list(
        "available", flat=True
    )
    return found.first() or 0


def lock_account(customer_id: uuid.UUID) -> PointsAccount:
    """Her balances, held to the end of the transaction."""
    accounts = PointsAccount.objects.select_related("tier").select_for_update(of=("self",))
    return accounts.get(customer_id=customer_id)


def take_from_lots(
    made: PointsTransaction, customer_id: uuid.UUID, points: int, now: dt.datetime
) -> None:
    """Take points that were moved out of `available`: what expires first goes first.

    Raises `NotEnoughPoints` when some of them have expired.
    """
    left = points
    taken: list[tuple[uuid.UUID, int]] = []
    with connection.cursor() as cursor:
        cursor.execute(SPENDABLE, [customer_id, now])
        for lot_id, remaining in cursor.fetchall():
            if not left:
                break
            part = min(left, remaining)
            taken.append((lot_id, part))
            left -= part
    if left:
        raise NotEnoughPoints(details={"available": points - left})
    draw(made, taken)


def draw(made: PointsTransaction, taken: Sequence[tuple[uuid.UUID, int]]) -> None:
    """Take these points from these lots and note it. The lots are locked already."""
    if not taken:
        return
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [[pk for pk, _ in taken], [points for _, points in taken]])
        if cursor.rowcount != len(taken):
            raise NotEnoughPoints()
    LotUse.objects.bulk_create(
        LotUse(transaction=made, lot_id=pk, points=points) for pk, points in taken
    )


def settle_debt(
    made: PointsTransaction, customer_id: uuid.UUID, available: int, owed: int, now: dt.datetime
) -> int:
    """Make good what she owes from what she has now; how many points that took."""
    points = min(available, owed)
    if points:
        post(made, customer_id, {Account.AVAILABLE: -points, Account.OWED: points})
        take_from_lots(made, customer_id, points, now)
    return points


def note_next_expiry(customer_ids: Iterable[uuid.UUID]) -> None:
    """Keep in the accounts which day points go next."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_EXPIRY, [sorted(customer_ids)])


def zone() -> str:
    """The chain's zone, in which days of points end."""
    return current_tenant().time_zone


def balances_of(customer_id: uuid.UUID) -> Mapping[str, int]:
    """Her balances as her entries add up to them, for whoever doubts the account."""
    entries = PointsEntry.objects.filter(customer_id=customer_id)
    sums = entries.values_list("account", "side").annotate(points=Sum("points"))
    found = {account.value: 0 for account in OF_CUSTOMER}
    for account, side, points in sums:
        found[account] += points if side == Side.CREDIT else -points
    found[Account.OWED] = -found[Account.OWED]
    return found
