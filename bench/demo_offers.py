"""What a million demo customers hold of offers: uses, codes of their own, points, friends.

Of 1 M people: 750,000 uses in 400 days by some 530,000 of them, a live code each of one of three
sendings, an account of points each, 40,000 friends.
"""

from typing import Any

import psycopg

USES = """
INSERT INTO coupons_redemption (tenant_id, reservation_id, offer_id, branch_id, customer_id,
    invoice_id, revision, amount, returned, shares, state, counted, local_day, redeemed_at)
SELECT tenant_id, gen_random_uuid(), offers.ids[1 + n % cardinality(offers.ids)],
       coalesce(home_branch_id, branch.id), uses.id, 'bench-' || n, 1, 1000 + n % 90 * 1000, 0,
       '{}', 'redeemed', true, at::date, at
FROM (SELECT people.*, n, now() - make_interval(secs => random() * 400 * 86400) AS at
      FROM (SELECT *, row_number() OVER (ORDER BY md5(id::text)) AS place FROM customers_customer)
          people
      JOIN (SELECT n, 1 + (random() * people)::bigint % people AS place
            FROM (SELECT count(*) AS people FROM customers_customer) everybody,
                 LATERAL generate_series(1, people * 3 / 4) n) drawn USING (place)) uses,
     (SELECT array_agg(id ORDER BY id) AS ids FROM coupons_offer) offers,
     (SELECT id FROM core_branch ORDER BY id LIMIT 1) branch
"""
BATCHES = """
INSERT INTO coupons_codebatch
    (tenant_id, offer_id, name, prefix, symbols, count, made, state, max_uses, is_copied, copied_to)
SELECT tenant_id, id, 'bench', 'BENCH' || row_number() OVER (ORDER BY id), 8, 1, 1, 'done', 1,
       true, (SELECT max(id) FROM customers_customer)
FROM coupons_offer ORDER BY id LIMIT 3
"""
CODES = """
INSERT INTO coupons_couponcode (tenant_id, offer_id, batch_id, customer_id, code, key, max_uses)
SELECT she.tenant_id, batch.offer_id, batch.id, she.id, batch.prefix || '-' || she.n,
       batch.prefix || she.n, 1
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM customers_customer) she
JOIN (SELECT *, row_number() OVER (ORDER BY id) AS n FROM coupons_codebatch WHERE name = 'bench')
    batch ON batch.n = 1 + she.n % 3
"""
POINTS = """
INSERT INTO loyalty_pointsaccount (tenant_id, customer_id, available, next_expiry_on)
SELECT tenant_id, id, abs(hashtext(id::text)::bigint) % 2000,
       current_date + abs(hashtext(id::text)::bigint)::int % 365
FROM customers_customer ON CONFLICT (customer_id) DO NOTHING
"""


# As facts are computed, of what was put in behind their back.
FACTS = """
UPDATE customers_customerfacts facts
SET last_offer_at = given.last, discount_90_days = coalesce(given.in_90_days, 0),
    discount_365_days = coalesce(given.in_365_days, 0)
FROM (SELECT used.customer_id, max(redeemed_at) AS last,
             sum(amount) FILTER (WHERE day >= today - 90) / 100.0 AS in_90_days,
             sum(amount) FILTER (WHERE day >= today - 365) / 100.0 AS in_365_days
      FROM coupons_redemption used JOIN customers_customer customer ON customer.id = customer_id
      LEFT JOIN core_branch branch ON branch.id = customer.home_branch_id
      JOIN core_tenant tenant ON tenant.id = customer.tenant_id
      CROSS JOIN LATERAL (SELECT coalesce(branch.time_zone, tenant.time_zone) AS zone) AS local
      CROSS JOIN LATERAL (SELECT (redeemed_at AT TIME ZONE zone)::date AS day,
                                 (now() AT TIME ZONE zone)::date AS today) AS days
      WHERE state <> 'reversed' GROUP BY used.customer_id) given
WHERE facts.customer_id = given.customer_id
"""


COPIES = """
WITH chosen AS (SELECT id, now() AS at FROM customers_customer)
UPDATE customers_customerfacts facts SET {columns}
FROM ({select}) given WHERE given.customer_id = facts.customer_id
"""


def fill(server: psycopg.Connection[Any]) -> None:
    """Into the demo just made."""
    from customers import copied

    for statement in (USES, BATCHES, CODES, POINTS, FACTS):
        server.execute(statement)
    for source in copied.sources():
        columns = ", ".join(f"{column} = given.{column}" for column in source.columns)
        server.execute(COPIES.format(columns=columns, select=source.select))
