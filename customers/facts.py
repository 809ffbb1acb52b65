"""`CustomerFacts` and `CategoryRhythm`, derived from source rows; kept fresh set-based.

A change marks its customers in `StaleFacts` and is the truth until a worker comes. The worker
deletes marks, locks the facts rows in customer order and computes in *later* statements: their
snapshots then hold everything that was committed before the locks were had, so of two workers
the later one never writes older numbers. Whoever holds a facts row alone writes its rhythms.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from customers import changed, copied, facts_sql, tasks
from customers.models import Customer
from customers.scoring import ensure_scoring
from marketing.core import clock
from marketing.core.nudge import nudge_soon
from marketing.core.prepared import send_later
from marketing.core.tenancy import current_tenant_id

BATCH = 5_000
# How many a rebuild computes at a time: what is sorted and hashed of them fits in memory.
SLICE = 200_000
START = uuid.UUID(int=0)
# As a part of a statement that changes rows with `tenant_id` and `customer_id`, named `changed`;
# the worker's next look finds the marks.
MARK = """
INSERT INTO customers_stalefacts (tenant_id, customer_id)
SELECT tenant_id, customer_id FROM {changed}
"""
# A rebuild takes it alone, refreshing workers share it.
REBUILD_LOCK = "SELECT pg_advisory_xact_lock{}(hashtext('customer facts'), hashtext(%s))"

_MARK_CHOSEN = """
INSERT INTO customers_stalefacts (tenant_id, customer_id)
SELECT %s, id FROM ({chosen}) AS chosen(id)
"""


def mark_stale(customer_ids: QuerySet[Customer] | Iterable[uuid.UUID]) -> None:
    """Have the facts of these customers computed again soon; never waits for anyone."""
    tenant_id = current_tenant_id()
    if isinstance(customer_ids, QuerySet):
        chosen, params = customer_ids.values("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(_MARK_CHOSEN.format(chosen=chosen), [tenant_id, *params])
    elif ids := list(customer_ids):
        send_later(_MARK_CHOSEN.format(chosen="SELECT unnest(%s::uuid[])"), [tenant_id, ids])
    else:
        return
    transaction.on_commit(lambda: nudge_soon(tasks.refresh_stale_facts, str(tenant_id)))


def refresh_stale_facts(limit: int = BATCH) -> int:
    """Take up to `limit` marks of the open tenant and compute their customers' facts.

    Returns how many marks were taken. One transaction; marks that another worker holds are
    left to it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM customers_stalefacts WHERE id = ANY (ARRAY(
                SELECT id FROM customers_stalefacts WHERE tenant_id = %s
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            )) RETURNING customer_id
            """,
            [current_tenant_id(), limit],
        )
        marked = [customer_id for (customer_id,) in cursor.fetchall()]
        if marked:
            recompute(sorted(set(marked)))
    return len(marked)


def age_facts(limit: int = BATCH) -> int:
    """Compute up to `limit` customers whose facts the clock may have changed since they were,
    or a change of what is called new, loyal or lost.

    By the clock once a day of the customer's branch: windows move on, memberships and packages
    expire, people fall into another stage and score. Returns how many were computed; call until
    it is 0.
    """
    scoring = ensure_scoring()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT facts.customer_id
            FROM customers_customerfacts facts
            JOIN customers_customer customer ON customer.id = facts.customer_id
            JOIN core_tenant tenant ON tenant.id = customer.tenant_id
            LEFT JOIN core_branch branch ON branch.id = customer.home_branch_id
            CROSS JOIN LATERAL (SELECT coalesce(branch.time_zone, tenant.time_zone)) AS zone(name)
            WHERE facts.tenant_id = %(tenant)s AND (
              (facts.scoring_version <> %(version)s AND facts.stage <> 'prospect')
              OR facts.computed_at < %(now)s
              AND facts.computed_at
                  < date_trunc('day', %(now)s AT TIME ZONE zone.name) AT TIME ZONE zone.name
              AND (facts.spend_365_days <> 0 OR facts.visits_365_days <> 0
                   OR facts.engaged_90_days <> 0 OR facts.discount_365_days <> 0
                   OR facts.rfm_recency > 1
                   OR facts.stage NOT IN ('prospect', 'churned')
                   OR EXISTS (SELECT FROM customers_membership held
                              WHERE held.customer_id = facts.customer_id
                                AND held.expires_on >= facts.computed_at::date - 1)
                   OR EXISTS (SELECT FROM customers_package held
                              WHERE held.customer_id = facts.customer_id
                                AND held.expires_on >= facts.computed_at::date - 1)))
            LIMIT %(limit)s
            """,
            {
                "tenant": current_tenant_id(),
                "now": clock.now(),
                "version": scoring.version,
                "limit": limit,
            },
        )
        aged = [customer_id for (customer_id,) in cursor.fetchall()]
        if aged:
            recompute(sorted(aged))
    return len(aged)


def rebuild_all(limit: int = SLICE) -> int:
    """Compute every customer's facts of the open tenant, `limit` at a time; returns how many."""
    count, after = 0, START
    with transaction.atomic(), connection.cursor() as cursor:
        tenant_id = current_tenant_id()
        cursor.execute(REBUILD_LOCK.format(""), [str(tenant_id)])
        values: dict[str, Any] = {"tenant": tenant_id, "now": clock.now()}
        while last := last_of_slice(after, limit):
            count += _compute(facts_sql.IN_SLICE, values | {"after": after, "last": last})
            after = last
    return count


def last_of_slice(after: uuid.UUID, limit: int) -> uuid.UUID | None:
    """The last of the `limit` next customers by id; None when nobody comes after."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM (
                SELECT id FROM customers_customer WHERE tenant_id = %s AND id > %s
                ORDER BY id LIMIT %s
            ) AS slice ORDER BY id DESC LIMIT 1
            """,
            [current_tenant_id(), after, limit],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def recompute(customer_ids: Sequence[uuid.UUID]) -> None:
    """Lock the facts of these customers, who come in order, and write what follows for them."""
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": list(customer_ids),
        "now": clock.now(),
    }
    _lock(values)
    _compute(facts_sql.THESE, values)
    changed.tell(customer_ids)


def copy_again(customer_ids: Sequence[uuid.UUID], column: str) -> None:
    """Copy what gives this column of facts (`copied`) anew for these customers, who come in order.

    In the transaction that let them have more of it: who has none is left as she is.
    """
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": list(customer_ids),
        "now": clock.now(),
    }
    _lock(values)
    with connection.cursor() as cursor:
        cursor.execute(facts_sql.write_copied(copied.source_of(column)), values)
    changed.tell(customer_ids)


def _lock(values: Mapping[str, Any]) -> None:
    """Hold the facts rows of these `ids`, made where there were none, to the end."""
    with connection.cursor() as cursor:
        cursor.execute(REBUILD_LOCK.format("_shared"), [str(values["tenant"])])
        cursor.execute(
            """
            INSERT INTO customers_customerfacts (tenant_id, customer_id)
            SELECT tenant_id, id FROM customers_customer WHERE id = ANY(%(ids)s)
            ORDER BY id ON CONFLICT (customer_id) DO NOTHING
            """,
            values,
        )
        cursor.execute(
            """
            SELECT FROM customers_customerfacts WHERE customer_id = ANY(%(ids)s)
            ORDER BY customer_id FOR NO KEY UPDATE
            """,
            values,
        )


def _compute(chosen: str, values: Mapping[str, Any]) -> int:
    """Write what follows for the chosen, whose facts nobody else writes; returns how many."""
    ensure_scoring()
    with connection.cursor() as cursor:
        cursor.execute(facts_sql.write_facts(chosen), values)
        count = int(cursor.rowcount)
        cursor.execute(facts_sql.write_rhythms(chosen), values)
    return count
