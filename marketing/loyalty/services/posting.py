"""How points move: a transaction, its entries and the balance, in one go and never apart.

Who posts holds the customer (`standing_ids`) and moves her balance first, which locks it; then
her lots, in the order in which they are spent.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Sum

from customers.facts import MARK
from customers.services.standing import standing_ids
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import IdempotencyMismatch, ValidationFailed
from marketing.core.prepared import bigints, kept_cursor
from marketing.core.sentences import gettext as _
from marketing.core.templatetags.formats import format_number
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.loyalty import rules
from marketing.loyalty.errors import NotEnoughPoints
from marketing.loyalty.models import (
    Account,
    PointsAccount,
    PointsEntry,
    PointsTransaction,
    Side,
)
from marketing.loyalty.models.ledger import OF_CUSTOMER

# The guard: no balance of hers may go below zero, judged in the statement that moves it.
MOVE = """
UPDATE loyalty_pointsaccount
SET available = available + %(available)s, pending = pending + %(pending)s,
    held = held + %(held)s, owed = owed + %(owed)s, version = version + 1
WHERE customer_id = %(customer)s AND available + %(available)s >= 0
  AND pending + %(pending)s >= 0 AND held + %(held)s >= 0 AND owed + %(owed)s >= 0
RETURNING tenant_id, customer_id, available, owed
"""
# With `made` the transaction, or none where it was posted before.
POST = """
WITH made AS ({made}), moved AS ({move}), legs AS (
    INSERT INTO loyalty_pointsentry (tenant_id, transaction_id, account, customer_id, side, points)
    SELECT %(tenant)s, made.id, leg.account,
           CASE WHEN leg.account = ANY(%(of_customer)s::text[]) THEN %(customer)s END,
           CASE WHEN leg.amount > 0 THEN 'credit' ELSE 'debit' END, abs(leg.amount)
    FROM made, moved, unnest(%(accounts)s::text[], %(amounts)s::bigint[]) AS leg (account, amount)
    WHERE leg.amount <> 0
), marked AS ({mark} WHERE %(available)s <> %(owed)s)
SELECT made.id, moved.available, moved.owed FROM made LEFT JOIN moved ON true
"""
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
# Her account is locked: nobody else draws on her lots meanwhile, and `TAKE` asks again.
SPENDABLE = """
SELECT id, remaining FROM loyalty_pointslot
WHERE customer_id = %s AND remaining > 0 AND NOT is_pending
  AND (expires_at IS NULL OR expires_at > %s)
ORDER BY expires_at NULLS LAST, earned_at, id
"""
TAKE = """
WITH taken AS (
    UPDATE loyalty_pointslot lot SET remaining = remaining - part.points
    FROM unnest(%(lots)s::uuid[], %(points)s::bigint[]) AS part (id, points)
    WHERE lot.id = part.id AND remaining >= part.points
    RETURNING lot.id, part.points
)
INSERT INTO loyalty_lotuse (tenant_id, transaction_id, lot_id, points)
SELECT %(tenant)s, %(made)s, id, points FROM taken
"""
NEXT_EXPIRY = """
UPDATE loyalty_pointsaccount account SET next_expiry_on = lots.first
FROM (
    SELECT asked.customer_id, (
        SELECT expires_on FROM loyalty_pointslot lot
        WHERE lot.customer_id = asked.customer_id AND remaining > 0 AND NOT is_pending
        ORDER BY expires_at LIMIT 1
    ) AS first
    FROM unnest(%(customers)s::uuid[]) AS asked (customer_id)
) lots
WHERE account.customer_id = lots.customer_id
  AND account.next_expiry_on IS DISTINCT FROM lots.first
RETURNING account.tenant_id, account.customer_id
"""
# For the head of a statement; what rules ask of her points is copied to her facts.
NOTE_EXPIRY = f"noted AS ({NEXT_EXPIRY}), marked AS ({MARK.format(changed='noted')})"


_FIELDS = PointsTransaction._meta.concrete_fields
_NAMES = [field.attname for field in _FIELDS]
FIND = f"""
SELECT {", ".join(str(field.column) for field in _FIELDS)} FROM loyalty_pointstransaction
WHERE tenant_id = %s AND source_type = %s AND source_id = %s AND kind = %s
"""  # noqa: S608  names of our own columns


@dataclass(frozen=True)
class Source:
    """What a posting is for, as its own system names it: each is posted once for each kind."""

    type: str
    id: str


@dataclass(frozen=True)
class Posted:
    """A transaction, whether it had been posted before, and what she has and owes after it."""

    transaction: PointsTransaction
    is_repeat: bool
    available: int = 0
    owed: int = 0


def whole_points(points: int, field: str = "points") -> int:
    """Raises `ValidationFailed` for what is no number of points from 1 to `MAX_POINTS`."""
    if isinstance(points, bool) or not isinstance(points, int):
        raise ValidationFailed(fields={field: [_("A whole number.")]})
    if not 1 <= points <= rules.MAX_POINTS:
        bounds = {"least": 1, "most": format_number(rules.MAX_POINTS)}
        raise ValidationFailed(fields={field: [_("From %(least)s to %(most)s.") % bounds]})
    return points


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
    amounts: Mapping[Account, int] | None = None,
) -> Posted:
    """Write the transaction, or find what was posted for this source and kind before.

    With `amounts` they are posted with it, in the same statement, as `post` does. Raises
    `IdempotencyMismatch` when that was of somebody else, or completes something else, and
    `NotEnoughPoints`.
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
        "points": str(points),
        "spend": str(spend_paise),
        "tier_points": str(tier_points),
        "at": moment,
        "reason": reason,
        "actor": actor.label[:150],
        "user": actor.user_id,
    }
    with kept_cursor() as cursor:
        if amounts:
            _require_balance(amounts)
            cursor.execute(_posting(BEGIN), {**values, **_moved(customer_id, amounts)})
        else:
            cursor.execute(BEGIN, values)
        row = cursor.fetchone()
    if row is None:
        return Posted(_posted_before(customer_id, kind, source, origin), True)
    after = _after(customer_id, row) if amounts else (0, 0)
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
    return Posted(made, False, *after)


def find(source: Source, kind: str) -> PointsTransaction | None:
    """What was posted for the source."""
    with kept_cursor() as cursor:
        cursor.execute(FIND, [current_tenant_id(), source.type, source.id, kind])
        row = cursor.fetchone()
    return row and PointsTransaction.from_db(DEFAULT_DB_ALIAS, _NAMES, row)


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
    _require_balance(amounts)
    return _post(made, customer_id, amounts)


def transfer(
    made: PointsTransaction, giver: uuid.UUID, taker: uuid.UUID, amounts: Mapping[Account, int]
) -> tuple[int, int]:
    """Move amounts from one customer to another; what the taker has available and owes then."""
    _post(made, giver, {account: -points for account, points in amounts.items()})
    return _post(made, taker, amounts)


def _require_balance(amounts: Mapping[Account, int]) -> None:
    if sum(amounts.values()):
        raise ValueError(f"{amounts} do not balance")


def _post(
    made: PointsTransaction, customer_id: uuid.UUID, amounts: Mapping[Account, int]
) -> tuple[int, int]:
    with kept_cursor() as cursor:
        cursor.execute(
            _posting("SELECT %(made)s::uuid AS id"),
            {"made": made.pk, **_moved(customer_id, amounts)},
        )
        return _after(customer_id, cursor.fetchone())


def _posting(made: str) -> str:
    """`POST` of the transaction `made`, whose balances move only where there is one."""
    move = MOVE.replace("RETURNING", "AND EXISTS (SELECT FROM made) RETURNING")
    return POST.format(made=made, move=move, mark=MARK.format(changed="moved"))


def _moved(customer_id: uuid.UUID, amounts: Mapping[Account, int]) -> dict[str, Any]:
    """Numbers are text: a statement is kept once for each set of types, and they go by size."""
    moved = {account.value: amounts.get(account, 0) for account in OF_CUSTOMER}
    moved["owed"] = -moved["owed"]
    return {
        "tenant": current_tenant_id(),
        "customer": customer_id,
        "of_customer": [account.value for account in OF_CUSTOMER],
        "accounts": [account.value for account in amounts],
        "amounts": bigints(amounts.values()),
        **{name: str(points) for name, points in moved.items()},
    }


def _after(customer_id: uuid.UUID, row: Sequence[Any]) -> tuple[int, int]:
    """What is available and owed. Raises `NotEnoughPoints` where nothing was moved."""
    _made, available, owed = row
    if available is None:
        raise NotEnoughPoints(details={"available": available_now(customer_id)})
    return available, owed


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
    with kept_cursor() as cursor:
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
    """Take these points from these lots and note it. Raises `NotEnoughPoints` where one of them
    holds less."""
    if not taken:
        return
    with kept_cursor() as cursor:
        cursor.execute(
            TAKE,
            {
                "tenant": current_tenant_id(),
                "made": made.pk,
                "lots": [pk for pk, _points in taken],
                "points": bigints(points for _pk, points in taken),
            },
        )
        if cursor.rowcount != len(taken):
            raise NotEnoughPoints()


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
    with kept_cursor() as cursor:
        cursor.execute(f"WITH {NOTE_EXPIRY} SELECT", {"customers": sorted(customer_ids)})


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
