"""What time does to points: they become active, they expire, holds run out.

For one customer before each posting of hers, and for a whole chain at night: the same statements.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from customers.facts import mark_stale
from customers.services.standing import standing_ids
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty.errors import PointsHoldOver
from marketing.loyalty.models import HoldState, PointsAccount, PointsHold
from marketing.loyalty.services.posting import note_next_expiry

BATCH = 5_000
HOLDS = 500

# Lots become active one after the other; what is owed is made good by the first of them.
ACTIVATE = """
WITH due AS MATERIALIZED (
    SELECT lot.id, lot.customer_id, lot.remaining, lot.active_at,
           LEAST(lot.remaining, GREATEST(0, account.owed - COALESCE(sum(lot.remaining) OVER (
               PARTITION BY lot.customer_id ORDER BY lot.active_at, lot.id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))) AS repaid
    FROM loyalty_pointslot lot
    JOIN loyalty_pointsaccount account ON account.customer_id = lot.customer_id
    WHERE lot.tenant_id = %(tenant)s AND lot.is_pending AND lot.active_at <= %(now)s
      AND lot.customer_id = ANY(%(customers)s::uuid[])
), active AS (
    UPDATE loyalty_pointslot lot SET is_pending = false, remaining = lot.remaining - due.repaid
    FROM due WHERE lot.id = due.id
), noted AS (
    INSERT INTO loyalty_pointstransaction (
        tenant_id, customer_id, kind, source_type, source_id, at, actor_label)
    SELECT %(tenant)s, customer_id, 'activate', 'lot', id::text, active_at, %(label)s
    FROM due WHERE remaining > 0
    RETURNING id, source_id
), made AS (
    SELECT due.*, noted.id AS transaction_id FROM due JOIN noted ON noted.source_id = due.id::text
), used AS (
    INSERT INTO loyalty_lotuse (tenant_id, transaction_id, lot_id, points)
    SELECT %(tenant)s, transaction_id, id, repaid FROM made WHERE repaid > 0
), legs AS (
    INSERT INTO loyalty_pointsentry (tenant_id, transaction_id, account, customer_id, side, points)
    SELECT %(tenant)s, transaction_id, leg.account, customer_id, leg.side, leg.points
    FROM made, LATERAL (VALUES
        ('pending', 'debit', remaining), ('available', 'credit', remaining - repaid),
        ('owed', 'credit', repaid)) AS leg (account, side, points)
    WHERE leg.points > 0
)
UPDATE loyalty_pointsaccount account
SET pending = pending - moved.points, available = available + moved.points - moved.repaid,
    owed = owed - moved.repaid, version = version + 1
FROM (
    SELECT customer_id, sum(remaining)::bigint AS points, sum(repaid)::bigint AS repaid
    FROM due GROUP BY customer_id
) moved
WHERE account.customer_id = moved.customer_id
"""
EXPIRE = """
WITH due AS MATERIALIZED (
    SELECT lot.id, lot.customer_id, lot.remaining, lot.expires_at, lot.expires_on
    FROM loyalty_pointslot lot
    WHERE lot.tenant_id = %(tenant)s AND NOT lot.is_pending AND lot.remaining > 0
      AND lot.expires_at <= %(now)s AND lot.customer_id = ANY(%(customers)s::uuid[])
), gone AS (
    UPDATE loyalty_pointslot lot SET remaining = 0, expired = lot.expired + due.remaining
    FROM due WHERE lot.id = due.id
), noted AS (
    INSERT INTO loyalty_pointstransaction (
        tenant_id, customer_id, kind, source_type, source_id, at, points, actor_label)
    SELECT %(tenant)s, customer_id, 'expire', 'lot', id || ' ' || expires_on, expires_at,
           -remaining, %(label)s
    FROM due
    RETURNING id, source_id
), legs AS (
    INSERT INTO loyalty_pointsentry (tenant_id, transaction_id, account, customer_id, side, points)
    SELECT %(tenant)s, noted.id, leg.account, leg.customer_id, leg.side, due.remaining
    FROM due JOIN noted ON noted.source_id = due.id || ' ' || due.expires_on, LATERAL (VALUES
        ('available', due.customer_id, 'debit'), ('expired', NULL, 'credit')
    ) AS leg (account, customer_id, side)
)
UPDATE loyalty_pointsaccount account
SET available = available - moved.points, version = version + 1
FROM (
    SELECT customer_id, sum(remaining)::bigint AS points FROM due GROUP BY customer_id
) moved
WHERE account.customer_id = moved.customer_id
"""
DUE = {
    ACTIVATE: "lot.is_pending AND lot.active_at <= %(now)s",
    EXPIRE: "NOT lot.is_pending AND lot.remaining > 0 AND lot.expires_at <= %(now)s",
}
# Of a lot with points left.
IS_DUE = "lot.is_pending AND lot.active_at <= %(now)s OR lot.expires_at <= %(now)s"


def settle_now(customer_id: uuid.UUID, now: dt.datetime) -> None:
    """Bring one customer's lots up to the moment. Her customer row is held already."""
    _move(ACTIVATE, [customer_id], now)
    _move(EXPIRE, [customer_id], now)


@transaction.atomic
def activate_due() -> int:
    """Make a batch of pending points active whose time has come; of how many people."""
    return _sweep(ACTIVATE)


@transaction.atomic
def expire_due() -> int:
    """Let a batch of points expire whose last day is over; of how many people."""
    return _sweep(EXPIRE)


def _sweep(statement: str) -> int:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT customer_id FROM (SELECT customer_id FROM loyalty_pointslot lot"  # noqa: S608  ours
            f" WHERE lot.tenant_id = %(tenant)s AND {DUE[statement]}"
            " ORDER BY lot.active_at LIMIT %(batch)s) due ORDER BY customer_id",
            {"tenant": current_tenant_id(), "now": now, "batch": BATCH},
        )
        customer_ids = [pk for (pk,) in cursor.fetchall()]
    if customer_ids:
        # Held before their accounts, as a merge has them, whose commit would wait for them else.
        _move(statement, sorted(set(standing_ids(customer_ids).values())), now)
    return len(customer_ids)


def _move(statement: str, customer_ids: Sequence[uuid.UUID], now: dt.datetime) -> None:
    """Locks the accounts first, in order, and reads the lots in a later statement."""
    accounts = PointsAccount.objects.filter(customer_id__in=customer_ids).order_by("customer_id")
    list(accounts.select_for_update().values_list("pk", flat=True))
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "now": now,
        "customers": list(customer_ids),
        "label": Actor.system(current_tenant_id()).label,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    note_next_expiry(customer_ids)
    mark_stale(customer_ids)


@transaction.atomic
def void_overdue_holds() -> int:
    """Give back a batch of points whose hold ran out at a counter that never said; how many holds.

    There are as many as bills were walked away from.
    """
    from marketing.loyalty.services.spending import end_hold

    now = clock.now()
    over = PointsHold.objects.filter(state=HoldState.HELD, expires_at__lte=now)
    holds = list(over.order_by("customer_id", "pk")[:HOLDS])
    for hold in holds:
        try:
            end_hold(actor=Actor.system(current_tenant_id()), hold=hold, state=HoldState.EXPIRED)
        except PointsHoldOver:
            continue  # somebody was faster
    return len(holds)
