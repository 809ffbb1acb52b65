"""The demo's points programme, and the points of a year's bills of up to 20,000 people.

No more of them: points are half a dozen rows a bill, and nobody looks at a million customers'.
"""

import datetime as dt

from marketing.campaigns.demo.staging import execute, stage_query
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty.models import LoyaltyProgramme, Tier

PEOPLE = 20_000
DAYS = 364
PROGRAMME = {
    "is_enabled": True,
    "points_per_100": 2,
    "signup_bonus": 50,
    "referral_bonus": 200,
    "birthday_bonus": 100,
    "min_redeem_points": 50,
    "max_redeem_percent": 50,
}
TIERS = (
    ("Bronze", 0, 10_000, ""),
    ("Silver", 1_500_000, 12_500, "A quarter more points"),
    ("Gold", 4_000_000, 15_000, "Half as many points again\nA head massage with every hair spa"),
)


def write_points(now: dt.datetime, zone: str) -> None:
    """Points earned on bills, some of them used three weeks later; ids are of these times."""
    LoyaltyProgramme.objects.create(**PROGRAMME)
    for level, (name, threshold, multiplier, benefits) in enumerate(TIERS, 1):
        Tier.objects.create(
            name=name, level=level, threshold=threshold, multiplier=multiplier, benefits=benefits
        )
    values = {
        "tenant": current_tenant_id(),
        "now": now,
        "zone": zone,
        "people": PEOPLE,
        "since": now - dt.timedelta(days=DAYS),
        "rate": PROGRAMME["points_per_100"],
    }
    stage_query("demo_points", BILLS, values)
    for statement in (EARNED, LINES, LOTS, ISSUED, USED, HOLDS, USES, REDEEMED, ACCOUNTS):
        execute(statement, values)


BILLS = """
    SELECT bill.*, pg_temp.make_id_at(earned_ms, v, 'points') AS earn_id,
           pg_temp.make_id(v, 'lot') AS lot_id,
           CASE WHEN at + interval '21 days' < %(now)s AND points >= 20
                     AND pg_temp.draw(v, 'uses points') < 0.3 THEN points / 2 ELSE 0 END AS used,
           pg_temp.make_id_at(earned_ms + 1814400000, v, 'points held') AS hold_id,
           pg_temp.make_id_at(earned_ms + 1814400001, v, 'points used') AS post_id,
           (at AT TIME ZONE %(zone)s + interval '12 months')::date AS last_day
    FROM (
        SELECT visit.v, (date_part('epoch', purchase.purchased_at) * 1000)::bigint AS earned_ms,
               visit.customer_id, visit.branch_id, purchase.purchased_at AS at,
               purchase.invoice_number,
               ((purchase.total - purchase.tax) * 100)::bigint AS paise,
               floor((purchase.total - purchase.tax) * %(rate)s / 100)::bigint AS points
        FROM demo_visit visit
        JOIN (SELECT id FROM demo_person ORDER BY position LIMIT %(people)s) person
          ON person.id = visit.customer_id
        JOIN customers_purchase purchase ON purchase.id = visit.purchase_id
        WHERE purchase.status = 'finalised' AND purchase.purchased_at >= %(since)s
    ) bill
    WHERE points > 0
"""

EARNED = """
    INSERT INTO loyalty_pointstransaction (
        id, tenant_id, customer_id, kind, source_type, source_id, branch_id, points, spend_paise,
        tier_points, at, created_at)
    SELECT earn_id, %(tenant)s, customer_id, 'earn', 'invoice', invoice_number, branch_id, points,
           paise, points, at, at
    FROM demo_points
"""

LINES = """
    INSERT INTO loyalty_earnedline (tenant_id, transaction_id, ref, net_paise, points)
    SELECT %(tenant)s, earn_id, '1', paise, points FROM demo_points
"""

LOTS = """
    INSERT INTO loyalty_pointslot (
        id, tenant_id, customer_id, transaction_id, points, remaining, earned_at, active_at, due_on,
        expires_on, expires_at)
    SELECT lot_id, %(tenant)s, customer_id, earn_id, points, points - used, at, at, last_day,
           last_day, (last_day + 1)::timestamp AT TIME ZONE %(zone)s
    FROM demo_points
"""

_ENTRIES = """
    INSERT INTO loyalty_pointsentry (tenant_id, transaction_id, account, customer_id, side, points)
    SELECT %(tenant)s, leg.transaction_id, leg.account, leg.customer_id, leg.side, leg.points
    FROM demo_points
"""

ISSUED = (
    _ENTRIES
    + """
    CROSS JOIN LATERAL (VALUES
        (earn_id, 'issued', NULL, 'debit', points),
        (earn_id, 'available', customer_id, 'credit', points)
    ) AS leg (transaction_id, account, customer_id, side, points)
"""
)

USED = """
    INSERT INTO loyalty_pointstransaction (
        id, tenant_id, customer_id, kind, source_type, source_id, origin_id, branch_id, points, at,
        created_at)
    SELECT step.id, %(tenant)s, customer_id, step.kind, 'invoice', invoice_number || '-P',
           step.origin_id, branch_id, step.points, at + interval '21 days', at + interval '21 days'
    FROM demo_points CROSS JOIN LATERAL (VALUES
        (hold_id, 'hold', NULL, 0), (post_id, 'post', hold_id, -used)
    ) AS step (id, kind, origin_id, points)
    WHERE used > 0
"""

HOLDS = """
    INSERT INTO loyalty_pointshold (
        tenant_id, customer_id, transaction_id, points, posted, state, expires_at, created_at)
    SELECT %(tenant)s, customer_id, hold_id, used, used, 'posted',
           at + interval '21 days 10 minutes', at + interval '21 days'
    FROM demo_points WHERE used > 0
"""

USES = """
    INSERT INTO loyalty_lotuse (tenant_id, transaction_id, lot_id, points)
    SELECT %(tenant)s, hold_id, lot_id, used FROM demo_points WHERE used > 0
"""

REDEEMED = (
    _ENTRIES
    + """
    CROSS JOIN LATERAL (VALUES
        (hold_id, 'available', customer_id, 'debit', used),
        (hold_id, 'held', customer_id, 'credit', used),
        (post_id, 'held', customer_id, 'debit', used), (post_id, 'redeemed', NULL, 'credit', used)
    ) AS leg (transaction_id, account, customer_id, side, points)
    WHERE used > 0
"""
)

ACCOUNTS = """
    INSERT INTO loyalty_pointsaccount (
        tenant_id, customer_id, available, next_expiry_on, tier_id, tier_since, tier_until)
    SELECT %(tenant)s, customer_id, available, next_expiry_on, tier.id, last_at,
           ((last_at AT TIME ZONE %(zone)s)::date + 366)::timestamp AT TIME ZONE %(zone)s
    FROM (
        SELECT customer_id, sum(points - used)::bigint AS available, sum(paise) AS paise,
               min(last_day) FILTER (WHERE points > used) AS next_expiry_on, max(at) AS last_at
        FROM demo_points GROUP BY customer_id
    ) person
    CROSS JOIN LATERAL (
        SELECT id FROM loyalty_tier WHERE tenant_id = %(tenant)s AND threshold <= person.paise
        ORDER BY level DESC LIMIT 1
    ) tier
"""
