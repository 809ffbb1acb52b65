"""What the demo's customers did in two years: visits, bills, plans, packages, events."""

import datetime as dt
from typing import Any

from customers.models import Service
from marketing.campaigns.demo.catalogue import MEMBERSHIP_PLANS, PACKAGES, menu_slots
from marketing.campaigns.demo.staging import execute, stage_query, stage_rows
from marketing.core.tenancy import current_tenant_id

DAYS = 730
# How many of the visits that people's rhythms ask for take place, by month.
SEASON = (0.86, 0.84, 0.86, 0.84, 0.88, 0.76, 0.7, 0.8, 0.78, 0.94, 0.96, 1.0)
# Share of the guests who come once more for December's weddings and parties.
DECEMBER_EXTRA = {"regular": 0.5, "occasional": 0.25}
OPENS_AT = dt.time(10, 30)
QUARTERS_OPEN = 36


def write_activity(services: dict[str, Service], now: dt.datetime, zone: str) -> None:
    """Everything that the people of `demo_person` did until `now`."""
    values: dict[str, Any] = {"tenant": current_tenant_id(), "now": now, "zone": zone}
    stage_rows(
        "demo_menu",
        "audience text, slot int, service_id uuid, category_id uuid, price numeric",
        menu_slots(services),
    )
    stage_rows("demo_extra", "rhythm text, share float8", DECEMBER_EXTRA.items())
    stage_query(
        "demo_visit",
        VISITS,
        values | {"opens": OPENS_AT, "quarters": QUARTERS_OPEN, "season": list(SEASON)},
    )
    execute(INSERT_VISITS, values)
    execute(INSERT_PURCHASES, values)
    execute(INSERT_LINES, values)
    stage_rows("demo_plan", "position int, name text, months int", _numbered(MEMBERSHIP_PLANS))
    execute(MEMBERSHIPS, values)
    stage_rows(
        "demo_package", "position int, name text, sessions int, days int", _numbered(PACKAGES)
    )
    execute(PACKAGES_BOUGHT, values)
    execute(EVENTS, values)


def _numbered(rows: tuple[tuple[Any, ...], ...]) -> list[tuple[Any, ...]]:
    return [(position, *row) for position, row in enumerate(rows)]


# A person's visits lie an own interval apart, give or take a quarter of it. Two of five that
# would fall on the first days of the week move to its Saturday. `v` tells a person's visits
# apart in draws. A bill has one to three services; `taste` says how dear they are. `OFFSET 0`
# keeps a subquery whole: merged into its caller, it would be computed at each use of a column.
VISITS = """
    SELECT pg_temp.make_id(v, 'visit') AS id, pg_temp.make_id(v, 'purchase') AS purchase_id,
           v, customer_id, branch_id, staff_id, visited_at, days_ago, member_day,
           first.service_id AS service_1, first.category_id AS category_1,
           round(first.price * price_level, -1) AS price_1,
           second.service_id AS service_2, second.category_id AS category_2,
           round(second.price * price_level, -1) AS price_2,
           third.service_id AS service_3, third.category_id AS category_3,
           round(third.price * price_level, -1) AS price_3
    FROM (
        SELECT came.*, branch.price_level,
               CASE WHEN came.branch_id = came.home_id AND pg_temp.draw(v, 'same stylist') < 0.65
                    THEN came.stylist_id
                    ELSE branch.stylists[1 + floor(
                        pg_temp.draw(v, 'stylist') * cardinality(branch.stylists))::int]
               END AS staff_id,
               (day + %(opens)s::time
                   + floor(pg_temp.draw(v, 'hour') * %(quarters)s) * interval '15 minutes')
                   AT TIME ZONE %(zone)s AS visited_at,
               floor(power(pg_temp.draw(v, 'first service'), taste) * menu.slots)::int AS slot_1,
               CASE WHEN pg_temp.draw(v, 'second') < more
                    THEN floor(power(pg_temp.draw(v, 'second service'), taste) * menu.slots)::int
               END AS slot_2,
               CASE WHEN pg_temp.draw(v, 'third') < more / 2
                    THEN floor(power(pg_temp.draw(v, 'third service'), taste) * menu.slots)::int
               END AS slot_3
        FROM (
            SELECT person.id AS customer_id, person.branch_id AS home_id, person.stylist_id,
                   person.taste, person.member_day,
                   CASE person.gender WHEN 'female' THEN 'women' ELSE 'men' END AS audience,
                   CASE person.rhythm WHEN 'regular' THEN 0.55 ELSE 0.25 END AS more,
                   planned.v, planned.days_ago,
                   CASE WHEN pg_temp.draw(planned.v, 'branch') < 0.94
                        THEN person.branch_id ELSE person.neighbour_id END AS branch_id,
                   planned.day + CASE
                       WHEN date_part('isodow', planned.day) <= 3
                        AND pg_temp.draw(planned.v, 'weekend') < 0.4
                       THEN 6 - date_part('isodow', planned.day)::int ELSE 0 END AS day
            FROM demo_person person
            CROSS JOIN LATERAL (
                SELECT person.position * 64 + i AS v, days_ago,
                       (%(now)s AT TIME ZONE %(zone)s)::date - days_ago AS day
                FROM generate_series(0, greatest(first_day - last_day, 0) / interval_days) i
                CROSS JOIN LATERAL (SELECT first_day - (i * interval_days
                    + CASE WHEN i > 0 THEN (pg_temp.draw(position * 64 + i, 'early or late') - 0.5)
                        * interval_days / 2 ELSE 0 END)::int) AS drawn(days_ago)
                WHERE days_ago >= last_day
                  AND (i = 0 OR pg_temp.draw(position * 64 + i, 'season') < 
                      (%(season)s::float8[])[date_part('month',
                          (%(now)s AT TIME ZONE %(zone)s)::date - days_ago)::int])
                UNION ALL
                SELECT person.position * 64 + 60 + year, today - festive, festive
                FROM demo_extra, generate_series(0, 2) year
                CROSS JOIN LATERAL (SELECT (%(now)s AT TIME ZONE %(zone)s)::date) AS clock(today)
                CROSS JOIN LATERAL (SELECT make_date(date_part('year', today)::int - year, 12,
                    8 + floor(pg_temp.draw(position * 64 + 60 + year, 'party') * 24)::int))
                    AS party(festive)
                WHERE demo_extra.rhythm = person.rhythm
                  AND pg_temp.draw(position * 64 + 60 + year, 'goes out') < demo_extra.share
                  AND today - festive BETWEEN last_day AND first_day
            ) planned
            WHERE person.interval_days > 0 OFFSET 0
        ) came
        JOIN demo_branch branch ON branch.id = came.branch_id
        JOIN (SELECT audience, count(*) AS slots FROM demo_menu GROUP BY audience) menu
          ON menu.audience = came.audience OFFSET 0
    ) visit
    JOIN demo_menu first ON first.audience = visit.audience AND first.slot = visit.slot_1
    LEFT JOIN demo_menu second ON second.audience = visit.audience AND second.slot = visit.slot_2
    LEFT JOIN demo_menu third ON third.audience = visit.audience AND third.slot = visit.slot_3
    WHERE visit.visited_at < %(now)s
"""

INSERT_VISITS = """
    INSERT INTO customers_visit (
        id, tenant_id, customer_id, branch_id, staff_id, external_id, visited_at)
    SELECT id, %(tenant)s, customer_id, branch_id, staff_id, '', visited_at FROM demo_visit
"""

# Services in India carry 5 % tax since 22 September 2025, 18 % before.
INSERT_PURCHASES = """
    INSERT INTO customers_purchase (
        id, tenant_id, customer_id, branch_id, visit_id, external_id, invoice_number, subtotal,
        discount, tax, total, status, purchased_at)
    SELECT purchase_id, %(tenant)s, customer_id, branch_id, id, '', 'INV-' || v, subtotal, discount,
           tax, subtotal - discount + tax,
           CASE WHEN pg_temp.draw(v, 'status') < 0.008 THEN 'refunded'
                WHEN pg_temp.draw(v, 'status') < 0.012 THEN 'void' ELSE 'finalised' END,
           visited_at + interval '50 minutes'
    FROM (
        SELECT *, round((subtotal - discount)
                   * CASE WHEN visited_at < '2025-09-22' THEN 0.18 ELSE 0.05 END, 2) AS tax
        FROM (
            SELECT *, round(subtotal * CASE
                       WHEN days_ago <= member_day THEN 0.10
                       WHEN pg_temp.draw(v, 'discount') < 0.12 THEN 0.15 ELSE 0 END, 2) AS discount
            FROM (SELECT *, price_1 + coalesce(price_2, 0) + coalesce(price_3, 0) AS subtotal
                  FROM demo_visit) priced
        ) discounted
    ) taxed
"""

INSERT_LINES = """
    INSERT INTO customers_purchaseline (
        id, tenant_id, purchase_id, service_id, category_id, staff_id, quantity, unit_price,
        amount)
    SELECT pg_temp.make_id(v * 4 + line.number, 'line'), %(tenant)s, purchase_id,
           line.service_id, line.category_id, staff_id, 1, line.price, line.price
    FROM demo_visit
    CROSS JOIN LATERAL (VALUES
        (1, service_1, category_1, price_1), (2, service_2, category_2, price_2),
        (3, service_3, category_3, price_3)
    ) AS line(number, service_id, category_id, price)
    WHERE line.service_id IS NOT NULL
"""

MEMBERSHIPS = """
    INSERT INTO customers_membership (
        tenant_id, customer_id, external_id, plan, status, starts_on, expires_on)
    SELECT %(tenant)s, id, '', name,
           CASE WHEN pg_temp.draw(n, 'cancels') < 0.07 THEN 'cancelled'
                WHEN expires_on < today THEN 'expired' ELSE 'active' END, starts_on, expires_on
    FROM (
        SELECT person.id, person.n, plan.name, today, today - member_day AS starts_on,
               (today - member_day + make_interval(months => plan.months))::date AS expires_on
        FROM demo_person person
        JOIN demo_plan plan
          ON plan.position = floor(power(pg_temp.draw(person.n, 'plan'), 1.6) * 3)::int
        CROSS JOIN LATERAL (SELECT (%(now)s AT TIME ZONE %(zone)s)::date) AS clock(today)
        WHERE member_day IS NOT NULL
    ) held
"""

PACKAGES_BOUGHT = """
    INSERT INTO customers_package (
        tenant_id, customer_id, external_id, name, sessions_total, sessions_used, is_cancelled,
        starts_on, expires_on)
    SELECT %(tenant)s, person.id, '', package.name, package.sessions,
           least(package.sessions, floor(package.sessions * bought.days_ago * 1.2 / package.days)),
           pg_temp.draw(person.n, 'gives back') < 0.04, today - bought.days_ago,
           today - bought.days_ago + package.days
    FROM demo_person person
    JOIN demo_package package
      ON package.position = floor(pg_temp.draw(person.n, 'which package') * 4)::int
    CROSS JOIN LATERAL (SELECT (%(now)s AT TIME ZONE %(zone)s)::date,
        last_day + floor((first_day - last_day) * pg_temp.draw(person.n, 'bought'))::int)
        AS bought(today, days_ago)
    WHERE pg_temp.draw(person.n, 'package')
          < CASE rhythm WHEN 'regular' THEN 0.24 WHEN 'occasional' THEN 0.08 ELSE 0 END
"""

# Ids carry the time of the event, so that each lies in its month's partition.
EVENTS = """
    INSERT INTO customers_customerevent (
        id, tenant_id, customer_id, name, properties, occurred_at)
    SELECT pg_temp.make_id_at((date_part('epoch', occurred_at) * 1000)::bigint, n, name),
           %(tenant)s, id, name, properties, occurred_at
    FROM demo_person
    CROSS JOIN LATERAL (
        SELECT 'website_booking', jsonb '{"channel": "website"}', pg_temp.draw(n, 'booked when')
        WHERE pg_temp.draw(n, 'website_booking') < 0.22
        UNION ALL
        SELECT 'app_opened', jsonb '{"platform": "android"}', pg_temp.draw(n, 'opened when')
        WHERE pg_temp.draw(n, 'app_opened') < 0.15
        UNION ALL
        SELECT 'review_posted',
               jsonb_build_object('rating', 3 + floor(sqrt(pg_temp.draw(n, 'rating')) * 3)::int),
               pg_temp.draw(n, 'reviewed when')
        WHERE pg_temp.draw(n, 'review_posted') < 0.08
        UNION ALL
        SELECT 'price_enquiry', jsonb '{"service": "Bridal make-up"}',
               pg_temp.draw(n, 'enquired when')
        WHERE pg_temp.draw(n, 'price_enquiry') < 0.04
    ) AS happened(name, properties, part)
    CROSS JOIN LATERAL (SELECT
        %(now)s - first_day * part * interval '1 day' - interval '1 minute') AS moment(occurred_at)
"""
