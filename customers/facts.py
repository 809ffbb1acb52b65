"""`CustomerFacts` derived from visits, bills, memberships and packages; kept fresh set-based.

A change marks its customers in `StaleFacts` and is the truth until a worker comes. The worker
deletes marks, locks the facts rows in customer order and computes in a *later* statement: its
snapshot then holds everything that was committed before the locks were had, so of two workers
the later one never writes older numbers.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from customers import tasks
from customers.models import Customer
from marketing.core import clock
from marketing.core.nudge import nudge
from marketing.core.tenancy import current_tenant_id

BATCH = 5_000
# A rebuild takes it alone, refreshing workers share it.
REBUILD_LOCK = "SELECT pg_advisory_xact_lock{}(hashtext('customer facts'), hashtext(%s))"


def mark_stale(customer_ids: QuerySet[Customer] | Iterable[uuid.UUID]) -> None:
    """Have the facts of these customers computed again soon; never waits for anyone."""
    tenant_id = current_tenant_id()
    if isinstance(customer_ids, QuerySet):
        chosen, params = customer_ids.values("pk").query.sql_with_params()
    else:
        chosen, params = "SELECT unnest(%s::uuid[])", (list(customer_ids),)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_stalefacts (tenant_id, customer_id) "  # noqa: S608  the ORM's SQL
            f"SELECT %s, id FROM ({chosen}) AS chosen(id)",
            [tenant_id, *params],
        )
    transaction.on_commit(lambda: nudge(tasks.refresh_stale_facts, str(tenant_id)))


def refresh_stale_facts(limit: int = BATCH) -> int:
    """Take up to `limit` marks of the open tenant and compute their customers' facts.

    Returns how many marks were taken. One transaction; marks that another worker holds are
    left to it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM customers_stalefacts WHERE id IN (
                SELECT id FROM customers_stalefacts WHERE tenant_id = %s
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            ) RETURNING customer_id
            """,
            [current_tenant_id(), limit],
        )
        marked = [customer_id for (customer_id,) in cursor.fetchall()]
        if marked:
            _recompute(sorted(set(marked)))
    return len(marked)


def age_facts(limit: int = BATCH) -> int:
    """Compute up to `limit` customers whose facts the clock may have changed since they were.

    Once a day of the customer's branch: windows move on, memberships and packages expire,
    people fall into another stage. Returns how many were computed; call until it is 0.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT facts.customer_id
            FROM customers_customerfacts facts
            JOIN customers_customer customer ON customer.id = facts.customer_id
            JOIN core_tenant tenant ON tenant.id = customer.tenant_id
            LEFT JOIN core_branch branch ON branch.id = customer.home_branch_id
            CROSS JOIN LATERAL (SELECT coalesce(branch.time_zone, tenant.time_zone)) AS zone(name)
            WHERE facts.tenant_id = %(tenant)s AND facts.computed_at < %(now)s
              AND facts.computed_at
                  < date_trunc('day', %(now)s AT TIME ZONE zone.name) AT TIME ZONE zone.name
              AND (facts.spend_365_days <> 0 OR facts.stage NOT IN ('prospect', 'churned')
                   OR EXISTS (SELECT FROM customers_membership held
                              WHERE held.customer_id = facts.customer_id
                                AND held.expires_on >= facts.computed_at::date - 1)
                   OR EXISTS (SELECT FROM customers_package held
                              WHERE held.customer_id = facts.customer_id
                                AND held.expires_on >= facts.computed_at::date - 1))
            LIMIT %(limit)s
            """,
            {"tenant": current_tenant_id(), "now": clock.now(), "limit": limit},
        )
        aged = [customer_id for (customer_id,) in cursor.fetchall()]
        if aged:
            _recompute(sorted(aged))
    return len(aged)


def rebuild_all() -> int:
    """Compute every customer's facts of the open tenant in one statement; returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        tenant_id = current_tenant_id()
        cursor.execute(REBUILD_LOCK.format(""), [str(tenant_id)])
        cursor.execute(
            _computation("customers_customer.tenant_id = %(tenant)s"),
            {"tenant": tenant_id, "now": clock.now()},
        )
        return int(cursor.rowcount)


def _recompute(customer_ids: Sequence[uuid.UUID]) -> None:
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "ids": list(customer_ids),
        "now": clock.now(),
    }
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
        cursor.execute(_computation("customers_customer.id = ANY(%(ids)s)"), values)


COLUMNS = (
    "visit_count",
    "first_visit_at",
    "last_visit_at",
    "visit_interval_days",
    "total_spend",
    "spend_90_days",
    "spend_365_days",
    "average_ticket",
    "favourite_service_id",
    "favourite_branch_id",
    "favourite_staff_id",
    "membership_status",
    "membership_expires_on",
    "has_active_membership",
    "has_active_package",
    "package_sessions_left",
    "package_expires_on",
    "stage",
    "computed_at",
)


def _computation(chosen: str) -> str:
    """The statement that writes the facts of the customers for whom `chosen` holds.

    Stages, the first that holds: reactivated (came back after 180 days, within the last 90),
    churned (not for 180 days), at risk (not for 90), engaged (5 visits in 180 days), active
    (2 in 90 days), new (first visit within 30 days), active. Favourites are the most frequent,
    of equals the latest. A new row takes its customer's id: drawing one costs more than the row.
    """
    updates = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS)
    return f"""
    WITH chosen AS (
        SELECT customers_customer.id, customers_customer.tenant_id,
               (%(now)s AT TIME ZONE coalesce(branch.time_zone, tenant.time_zone))::date AS today
        FROM customers_customer
        JOIN core_tenant tenant ON tenant.id = customers_customer.tenant_id
        LEFT JOIN core_branch branch ON branch.id = customers_customer.home_branch_id
        WHERE {chosen}
    ), visit AS (
        SELECT visit.customer_id, visit.branch_id, visit.visited_at,
               visit.visited_at - lag(visit.visited_at) OVER (
                   PARTITION BY visit.customer_id ORDER BY visit.visited_at) AS gap
        FROM customers_visit visit JOIN chosen ON chosen.id = visit.customer_id
    ), visits AS (
        SELECT customer_id, count(*) AS visits, min(visited_at) AS first, max(visited_at) AS last,
               extract(epoch FROM max(visited_at) - min(visited_at)) / 86400
                   / nullif(count(*) - 1, 0) AS interval_days,
               count(*) FILTER (WHERE visited_at > %(now)s - interval '90 days') AS in_90_days,
               count(*) FILTER (WHERE visited_at > %(now)s - interval '180 days') AS in_180_days,
               bool_or(gap >= interval '180 days' AND visited_at > %(now)s - interval '90 days')
                   AS came_back
        FROM visit GROUP BY customer_id
    ), branch AS (
        SELECT DISTINCT ON (customer_id) customer_id, branch_id FROM visit
        GROUP BY customer_id, branch_id
        ORDER BY customer_id, count(*) DESC, max(visited_at) DESC, branch_id
    ), purchase AS (
        SELECT purchase.id, purchase.customer_id, purchase.total, purchase.purchased_at
        FROM customers_purchase purchase JOIN chosen ON chosen.id = purchase.customer_id
        WHERE purchase.status = 'finalised'
    ), spend AS (
        SELECT customer_id, sum(total) AS total, round(avg(total), 2) AS average,
               coalesce(sum(total) FILTER (
                   WHERE purchased_at > %(now)s - interval '90 days'), 0) AS in_90_days,
               coalesce(sum(total) FILTER (
                   WHERE purchased_at > %(now)s - interval '365 days'), 0) AS in_365_days
        FROM purchase GROUP BY customer_id
    ), line AS (
        SELECT purchase.customer_id, purchase.purchased_at, line.service_id, line.staff_id,
               line.quantity
        FROM purchase JOIN customers_purchaseline line ON line.purchase_id = purchase.id
    ), service AS (
        SELECT DISTINCT ON (customer_id) customer_id, service_id FROM line
        GROUP BY customer_id, service_id
        ORDER BY customer_id, sum(quantity) DESC, max(purchased_at) DESC, service_id
    ), staff AS (
        SELECT DISTINCT ON (customer_id) customer_id, staff_id FROM line
        WHERE staff_id IS NOT NULL GROUP BY customer_id, staff_id
        ORDER BY customer_id, sum(quantity) DESC, max(purchased_at) DESC, staff_id
    ), membership AS (
        SELECT DISTINCT ON (held.customer_id) held.customer_id, held.expires_on,
               CASE WHEN held.status = 'active' AND held.expires_on < today THEN 'expired'
                    ELSE held.status END AS status
        FROM customers_membership held JOIN chosen ON chosen.id = held.customer_id
        WHERE held.starts_on <= today
        ORDER BY held.customer_id, (held.status = 'active' AND held.expires_on >= today) DESC,
                 held.expires_on DESC
    ), package AS (
        SELECT held.customer_id, sum(held.sessions_total - held.sessions_used) AS sessions_left,
               min(held.expires_on) AS expires_on
        FROM customers_package held JOIN chosen ON chosen.id = held.customer_id
        WHERE NOT held.is_cancelled AND held.sessions_used < held.sessions_total
          AND today BETWEEN held.starts_on AND held.expires_on
        GROUP BY held.customer_id
    )
    INSERT INTO customers_customerfacts (id, tenant_id, customer_id, {", ".join(COLUMNS)})
    SELECT chosen.id, chosen.tenant_id, chosen.id, coalesce(visits.visits, 0), visits.first,
           visits.last, visits.interval_days, coalesce(spend.total, 0),
           coalesce(spend.in_90_days, 0), coalesce(spend.in_365_days, 0), spend.average,
           service.service_id, branch.branch_id, staff.staff_id,
           coalesce(membership.status, 'none'), membership.expires_on,
           coalesce(membership.status = 'active', false), package.customer_id IS NOT NULL,
           coalesce(package.sessions_left, 0), package.expires_on,
           CASE WHEN visits.visits IS NULL THEN 'prospect'
                WHEN visits.came_back THEN 'reactivated'
                WHEN visits.last <= %(now)s - interval '180 days' THEN 'churned'
                WHEN visits.last <= %(now)s - interval '90 days' THEN 'at_risk'
                WHEN visits.in_180_days >= 5 THEN 'engaged'
                WHEN visits.in_90_days >= 2 THEN 'active'
                WHEN visits.first > %(now)s - interval '30 days' THEN 'new'
                ELSE 'active' END,
           %(now)s
    FROM chosen
    LEFT JOIN visits ON visits.customer_id = chosen.id
    LEFT JOIN branch ON branch.customer_id = chosen.id
    LEFT JOIN spend ON spend.customer_id = chosen.id
    LEFT JOIN service ON service.customer_id = chosen.id
    LEFT JOIN staff ON staff.customer_id = chosen.id
    LEFT JOIN membership ON membership.customer_id = chosen.id
    LEFT JOIN package ON package.customer_id = chosen.id
    ORDER BY chosen.id
    ON CONFLICT (customer_id) DO UPDATE SET {updates}
    """  # noqa: S608  constants of this module
