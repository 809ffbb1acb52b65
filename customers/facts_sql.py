"""The SQL that derives facts and rhythms from visits, bills, memberships and packages.

What is asked together with them is copied beside them from the customer and her consent.

Upper apps add what she took notice of (`engagement`), was given (`discounts`) and what else of
theirs is counted (`copied`).

`chosen` is a condition on `{table}.{id}`, a table's column of customer ids, and its `tenant_id`:
of the statements' parameters, `tenant` and `now` are always there.
"""

from collections.abc import Sequence

from customers import copied, discounts, engagement
from customers.facts_columns import COLUMNS, COPIES, OF_OTHERS
from customers.rfm import CELLS
from marketing.core.ids import NTH_ID

THESE = "{table}.{id} = ANY(%(ids)s)"
IN_SLICE = (
    "{table}.tenant_id = %(tenant)s AND {table}.{id} > %(after)s AND {table}.{id} <= %(last)s"
)

RHYTHM_COLUMNS = ("visits", "last_at", "interval_days", "due_on")
# Fewer show no rhythm.
RHYTHM_VISITS = 3

# As of now; or as of when the stored facts were computed.
AT_PRESENT = "%(now)s"
AS_STORED = """coalesce((SELECT computed_at FROM customers_customerfacts stored
    WHERE stored.customer_id = customers_customer.id), %(now)s)"""


def write_facts(chosen: str) -> str:
    """Write the facts of the chosen. A new row takes its customer's id, which costs nothing."""
    columns = (*COLUMNS, "scoring_version", "computed_at")
    return f"""
    INSERT INTO customers_customerfacts (id, tenant_id, customer_id, {", ".join(columns)})
    SELECT customer_id, %(tenant)s, customer_id, {", ".join(columns)}
    FROM ({facts(chosen)}) AS computed ORDER BY customer_id
    ON CONFLICT (customer_id) DO UPDATE SET {_assignments(columns)}
    """  # noqa: S608  constants of this module


def write_copied(source: copied.Copied) -> str:
    """Write the source's columns of whoever has a row there; the customers come as `ids`."""
    columns = ", ".join(f"{column} = given.{column}" for column in source.columns)
    return f"""
    WITH chosen AS (SELECT id, {AT_PRESENT}::timestamptz AS at FROM unnest(%(ids)s::uuid[]) AS id)
    UPDATE customers_customerfacts facts SET {columns}
    FROM ({source.select}) AS given WHERE given.customer_id = facts.customer_id
    """  # noqa: S608  constants


def write_rhythms(chosen: str) -> str:
    """Write the rhythms of the chosen that differ from those that stand; delete what is none."""
    columns = ", ".join(RHYTHM_COLUMNS)
    stored = chosen.format(table="stored", id="customer_id")
    return f"""
    WITH computed AS MATERIALIZED ({rhythms(chosen)}), gone AS (
        DELETE FROM customers_categoryrhythm stored
        WHERE {stored} AND NOT EXISTS (
            SELECT FROM computed WHERE computed.customer_id = stored.customer_id
                                   AND computed.category_id = stored.category_id)
    )
    INSERT INTO customers_categoryrhythm AS stored
        (id, tenant_id, customer_id, category_id, {columns})
    SELECT {NTH_ID.format(n="row_number() OVER ()")}, %(tenant)s, customer_id, category_id,
           {columns}
    FROM computed
    ON CONFLICT (customer_id, category_id) DO UPDATE SET {_assignments(RHYTHM_COLUMNS)}
    WHERE ({_of("stored", RHYTHM_COLUMNS)}) IS DISTINCT FROM ({_of("excluded", RHYTHM_COLUMNS)})
    """  # noqa: S608  constants of this module


def different_facts(chosen: str) -> str:
    """Customers whose stored facts are not what follows as of then, and the columns' names."""
    return f"""
    SELECT computed.customer_id, {_differing(COLUMNS, "stored", "computed")}
    FROM ({facts(chosen, AS_STORED)}) AS computed
    LEFT JOIN customers_customerfacts stored ON stored.customer_id = computed.customer_id
    WHERE ({_of("stored", COLUMNS)}) IS DISTINCT FROM ({_of("computed", COLUMNS)})
       OR stored.customer_id IS NULL
    """  # noqa: S608  constants of this module


def different_rhythms(chosen: str) -> str:
    """Customers with a stored rhythm that is not what follows, and the columns' names."""
    stored = chosen.format(table="customers_categoryrhythm", id="customer_id")
    return f"""
    SELECT customer_id, {_differing(RHYTHM_COLUMNS, "stored", "computed")}
    FROM ({rhythms(chosen, AS_STORED)}) AS computed
    FULL JOIN (SELECT * FROM customers_categoryrhythm WHERE {stored}) AS stored
        USING (customer_id, category_id)
    WHERE ({_of("stored", RHYTHM_COLUMNS)}) IS DISTINCT FROM ({_of("computed", RHYTHM_COLUMNS)})
    """  # noqa: S608  constants of this module


def facts(chosen: str, at: str = AT_PRESENT) -> str:
    """`COLUMNS`, `scoring_version` and `computed_at` of each chosen customer.

    Stages, the first that holds: reactivated (came back after having been churned, not long
    ago), churned, at risk, engaged, active, new, active. Favourites are the most frequent, of
    equals the latest. The chain's scoring row must be there.
    """
    return f"""
    WITH {_chosen(chosen, at)}, visit AS (
        SELECT customer_id, branch_id, visited_at, at - visited_at AS ago,
               visited_at - lag(visited_at) OVER in_order AS gap,
               day - lag(day) OVER in_order AS days
        FROM (SELECT visit.customer_id, visit.branch_id, visit.visited_at, chosen.at,
                     (visit.visited_at AT TIME ZONE chosen.zone)::date AS day
              FROM customers_visit visit JOIN chosen ON chosen.id = visit.customer_id) AS each
        WINDOW in_order AS (PARTITION BY customer_id ORDER BY visited_at)
    ), visits AS (
        SELECT customer_id, count(*) AS visits, min(visited_at) AS first, max(visited_at) AS last,
               count(*) FILTER (WHERE ago < interval '365 days') AS in_365_days,
               count(*) FILTER (WHERE ago < (SELECT active_for FROM scoring)) AS lately,
               count(*) FILTER (WHERE ago < (SELECT engaged_for FROM scoring)) AS rather_lately,
               bool_or(gap >= (SELECT churned_after FROM scoring)
                       AND ago < (SELECT reactivated_for FROM scoring)) AS came_back,
               array_sort(array_agg(days) FILTER (WHERE days > 0)) AS gaps
        FROM visit GROUP BY customer_id
    ), branch AS (
        SELECT DISTINCT ON (customer_id) customer_id, branch_id FROM visit
        GROUP BY customer_id, branch_id
        ORDER BY customer_id, count(*) DESC, max(visited_at) DESC, branch_id
    ), purchase AS (
        SELECT purchase.id, purchase.customer_id, purchase.total - purchase.refunded AS total,
               purchase.purchased_at,
               chosen.at - purchase.purchased_at AS ago
        FROM customers_purchase purchase JOIN chosen ON chosen.id = purchase.customer_id
        WHERE purchase.status = 'finalised'
    ), spend AS (
        SELECT customer_id, sum(total) AS total, round(avg(total), 2) AS average,
               coalesce(sum(total) FILTER (WHERE ago < interval '90 days'), 0) AS in_90_days,
               coalesce(sum(total) FILTER (WHERE ago < interval '365 days'), 0) AS in_365_days
        FROM purchase GROUP BY customer_id
    ), line AS (
        SELECT purchase.customer_id, purchase.purchased_at, line.service_id, line.staff_id,
               line.quantity - line.refunded_quantity AS quantity
        FROM purchase JOIN customers_purchaseline line ON line.purchase_id = purchase.id
        WHERE line.refunded_quantity < line.quantity
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
    ), engagement AS (
        SELECT customer_id, count(*) AS times, max(at) AS last FROM ({_engagement()}) AS each
        GROUP BY customer_id
    ), offer AS (
        SELECT customer_id, max(given.at) AS last,
               sum(amount) FILTER (WHERE day >= today - 90) AS in_90_days,
               sum(amount) FILTER (WHERE day >= today - 365) AS in_365_days
        FROM ({_discounts()}) AS given JOIN chosen ON chosen.id = given.customer_id
        CROSS JOIN LATERAL (SELECT (given.at AT TIME ZONE zone)::date AS day) AS local
        GROUP BY customer_id
    )
    SELECT chosen.id AS customer_id, coalesce(visits.visits, 0) AS visit_count,
           visits.first AS first_visit_at, visits.last AS last_visit_at,
           coalesce(visits.in_365_days, 0) AS visits_365_days,
           rhythm.days AS visit_interval_days, {_due_on("last_day", "cardinality(gaps) + 1")},
           coalesce(spend.total, 0) AS total_spend, coalesce(spend.in_90_days, 0) AS spend_90_days,
           coalesce(spend.in_365_days, 0) AS spend_365_days, spend.average AS average_ticket,
           service.service_id AS favourite_service_id, branch.branch_id AS favourite_branch_id,
           staff.staff_id AS favourite_staff_id,
           coalesce(membership.status, 'none') AS membership_status,
           membership.expires_on AS membership_expires_on,
           coalesce(membership.status = 'active', false) AS has_active_membership,
           package.customer_id IS NOT NULL AS has_active_package,
           coalesce(package.sessions_left, 0) AS package_sessions_left,
           package.expires_on AS package_expires_on,
           coalesce(engagement.times, 0) AS engaged_90_days, engagement.last AS last_engaged_at,
           offer.last AS last_offer_at,
           coalesce(offer.in_90_days, 0) AS discount_90_days,
           coalesce(offer.in_365_days, 0) AS discount_365_days,
           CASE WHEN visits.visits IS NULL THEN 'prospect'
                WHEN visits.came_back THEN 'reactivated'
                WHEN visits.last <= chosen.at - scoring.churned_after THEN 'churned'
                WHEN visits.last <= chosen.at - scoring.at_risk_after THEN 'at_risk'
                WHEN visits.rather_lately >= scoring.engaged_visits THEN 'engaged'
                WHEN visits.lately >= scoring.active_visits THEN 'active'
                WHEN visits.first > chosen.at - scoring.new_for THEN 'new'
                ELSE 'active' END AS stage,
           score.r AS rfm_recency, score.f AS rfm_frequency, score.m AS rfm_monetary,
           ('{CELLS}'::text[])[25 * (score.r - 1) + 5 * (score.f - 1) + score.m] AS rfm_group,
           {_copies()},
           {_of_others()},
           scoring.version AS scoring_version, chosen.at AS computed_at
    FROM chosen CROSS JOIN scoring
    JOIN customers_customer customer ON customer.id = chosen.id
    LEFT JOIN customers_consentstate consent ON consent.customer_id = chosen.id
    LEFT JOIN visits ON visits.customer_id = chosen.id
    LEFT JOIN branch ON branch.customer_id = chosen.id
    LEFT JOIN spend ON spend.customer_id = chosen.id
    LEFT JOIN service ON service.customer_id = chosen.id
    LEFT JOIN staff ON staff.customer_id = chosen.id
    LEFT JOIN membership ON membership.customer_id = chosen.id
    LEFT JOIN package ON package.customer_id = chosen.id
    LEFT JOIN engagement ON engagement.customer_id = chosen.id
    LEFT JOIN offer ON offer.customer_id = chosen.id
    {_others()}
    CROSS JOIN LATERAL (SELECT (visits.last AT TIME ZONE chosen.zone)::date AS last_day,
                               {_median("gaps")} AS days) AS rhythm
    CROSS JOIN LATERAL (
        SELECT 5 - width_bucket(today - last_day, scoring.recency_bounds) AS r,
               CASE WHEN visits.visits IS NOT NULL THEN
                   1 + width_bucket(visits.in_365_days::int, scoring.frequency_bounds) END AS f,
               CASE WHEN visits.visits IS NOT NULL THEN
                   1 + width_bucket(coalesce(spend.in_365_days, 0), scoring.monetary_bounds)
               END AS m) AS score
    """  # noqa: S608  constants of this module


def rhythms(chosen: str, at: str = AT_PRESENT) -> str:
    """`RHYTHM_COLUMNS` of each chosen customer and each category in which she shows a rhythm."""
    return f"""
    WITH {_chosen(chosen, at)}, purchase AS MATERIALIZED (
        SELECT purchase.id, purchase.customer_id, purchase.purchased_at,
               (purchase.purchased_at AT TIME ZONE chosen.zone)::date AS day
        FROM customers_purchase purchase JOIN chosen ON chosen.id = purchase.customer_id
        WHERE purchase.status = 'finalised'
    ), line AS (
        SELECT purchase.customer_id, line.category_id, purchase.purchased_at, purchase.day,
               purchase.day - lag(purchase.day) OVER (
                   PARTITION BY purchase.customer_id, line.category_id
                   ORDER BY purchase.purchased_at) AS days
        FROM purchase JOIN customers_purchaseline line ON line.purchase_id = purchase.id
    ), rhythm AS (
        SELECT customer_id, category_id, max(purchased_at) AS last_at, max(day) AS last_day,
               count(*) FILTER (WHERE days IS DISTINCT FROM 0) AS visits,
               array_sort(array_agg(days) FILTER (WHERE days > 0)) AS gaps
        FROM line GROUP BY customer_id, category_id
        HAVING count(*) FILTER (WHERE days IS DISTINCT FROM 0) >= {RHYTHM_VISITS}
    )
    SELECT customer_id, category_id, visits, last_at, days AS interval_days,
           {_due_on("last_day", "visits")}
    FROM rhythm CROSS JOIN scoring
    CROSS JOIN LATERAL (SELECT {_median("gaps")} AS days) AS median
    """  # noqa: S608  constants of this module


def _chosen(chosen: str, at: str) -> str:
    """The chain's scoring, and the customers with their time zone, moment and day."""
    bounds = ", ".join(
        f"CASE WHEN rfm_mode = 'quintile' THEN coalesce({name}_quintiles, {name}_limits)"
        f" ELSE {name}_limits END AS {name}_bounds"
        for name in ("recency", "frequency", "monetary")
    )
    spans = ", ".join(
        f"make_interval(days => {column}_days) AS {name}"
        for column, name in (
            ("new", "new_for"),
            ("active", "active_for"),
            ("engaged", "engaged_for"),
            ("reactivated", "reactivated_for"),
            ("at_risk", "at_risk_after"),
            ("churned", "churned_after"),
        )
    )
    return f"""scoring AS (
        SELECT version, active_visits, engaged_visits, overdue_factor, {spans}, {bounds}
        FROM customers_scoringconfig WHERE tenant_id = %(tenant)s
    ), chosen AS (
        SELECT id, zone, at, (at AT TIME ZONE zone)::date AS today FROM (
            SELECT customers_customer.id, {at} AS at,
                   coalesce(branch.time_zone, tenant.time_zone) AS zone
            FROM customers_customer
            JOIN core_tenant tenant ON tenant.id = customers_customer.tenant_id
            LEFT JOIN core_branch branch ON branch.id = customers_customer.home_branch_id
            WHERE {chosen.format(table="customers_customer", id="id")}
        ) AS customer
    )"""  # noqa: S608  constants of this module


def _copies() -> str:
    return ", ".join(f"{source} AS {column}" for column, source in COPIES.items())


def _of_others() -> str:
    given = {column for source in copied.sources() for column in source.columns}
    return ", ".join(
        column if column in given else f"NULL::{kind} AS {column}"
        for column, kind in OF_OTHERS.items()
    )


def _others() -> str:
    """The joins of what upper apps give."""
    return " ".join(
        f"LEFT JOIN ({source.select}) AS other_{n} ON other_{n}.customer_id = chosen.id"
        for n, source in enumerate(copied.sources())
    )


def _engagement() -> str:
    nothing = "SELECT NULL::uuid AS customer_id, NULL::timestamptz AS at WHERE false"
    return " UNION ALL ".join(engagement.sources()) or nothing


def _discounts() -> str:
    nothing = (
        "SELECT NULL::uuid AS customer_id, NULL::timestamptz AS at, 0.00 AS amount WHERE false"
    )
    return " UNION ALL ".join(discounts.sources()) or nothing


def _median(gaps: str) -> str:
    """The median of an array in order; for an even number, between the two in the middle."""
    count = f"cardinality({gaps})"
    return f"({gaps}[({count} + 1) / 2] + {gaps}[({count} + 2) / 2]) / 2.0::float8"


def _due_on(last_day: str, visits: str) -> str:
    """The last day on which she is not overdue yet, from the median `days`."""
    return (
        f"CASE WHEN {visits} >= {RHYTHM_VISITS} THEN {last_day}"
        " + floor(days * scoring.overdue_factor)::int END AS due_on"
    )


def _assignments(columns: Sequence[str]) -> str:
    return ", ".join(f"{column} = excluded.{column}" for column in columns)


def _of(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


def _differing(columns: Sequence[str], one: str, other: str) -> str:
    names = (
        f"CASE WHEN {one}.{column} IS DISTINCT FROM {other}.{column} THEN '{column}' END"
        for column in columns
    )
    return f"array_remove(ARRAY[{', '.join(names)}], NULL)"
