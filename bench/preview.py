"""The live count of five rules of growing depth, two that count and four of offers.

The same by hand stands beside. Both run as the application's role, in turn. Ours is the whole way
of a preview: reading the rules, compiling them, counting, and ten people as a sample.
"""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench import machine
from bench.demo import demo_of

PEOPLE = 1_000_000
ROUNDS = 20
BAR_MS, BAR_RATIO = 300, 1.3


@dataclass(frozen=True)
class Rule:
    """A rule tree, and what stands behind WHERE in the query that a person would write."""

    name: str
    tree: dict[str, Any]
    by_hand: str


def where(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def group(operator: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": operator, "conditions": list(conditions)}


LAPSED = where("last_visit_days", "gt", 30)
LAPSED_SQL = "f.last_visit_at < %(month_ago)s"
SPENT = where("total_spend", "gte", "10000")
RULES = (
    Rule("1 condition", group("AND", SPENT), "f.total_spend >= 10000"),
    Rule(
        "2 conditions",
        group("AND", LAPSED, where("whatsapp_consent", "eq", True)),
        f"{LAPSED_SQL} AND s.whatsapp_promotional",
    ),
    Rule(
        "3 conditions, 2 deep",
        group("AND", LAPSED, group("OR", SPENT, where("visit_count", "gte", 5))),
        f"{LAPSED_SQL} AND (f.total_spend >= 10000 OR f.visit_count >= 5)",
    ),
    Rule(
        "5 conditions, 2 deep",
        group(
            "AND",
            LAPSED,
            group("OR", SPENT, where("tags", "contains", "vip")),
            group(
                "NOT",
                where("has_active_membership", "eq", True),
                where("marketing_opted_out", "eq", True),
            ),
        ),
        f"{LAPSED_SQL} AND (f.total_spend >= 10000 OR c.tags @> '{{vip}}')"
        " AND f.has_active_membership IS NOT TRUE AND s.marketing_opted_out IS NOT TRUE",
    ),
    Rule(
        "8 conditions, 4 deep",
        group(
            "AND",
            LAPSED,
            group(
                "OR",
                SPENT,
                group(
                    "AND",
                    where("visit_count", "gte", 5),
                    where("gender", "eq", "female"),
                    group("NOT", where("has_active_package", "eq", True)),
                ),
            ),
            where("whatsapp_consent", "eq", True),
            group("NOT", where("is_dnd", "eq", True), where("marketing_opted_out", "eq", True)),
        ),
        f"{LAPSED_SQL} AND (f.total_spend >= 10000 OR (f.visit_count >= 5"
        " AND c.gender = 'female' AND f.has_active_package IS NOT TRUE))"
        " AND s.whatsapp_promotional AND s.is_dnd IS NOT TRUE"
        " AND s.marketing_opted_out IS NOT TRUE",
    ),
    Rule(
        "counted visits and a consent",
        group(
            "AND",
            {"visit": {}, "count": {"op": "gte", "value": 3}, "within": {"days": 180}},
            where("whatsapp_consent", "eq", True),
        ),
        """c.id IN (SELECT customer_id FROM customers_visit
                    WHERE tenant_id = %(tenant)s AND visited_at >= %(half_a_year_ago)s
                    GROUP BY customer_id HAVING count(*) >= 3) AND s.whatsapp_promotional""",
    ),
    Rule(
        "counted events and a consent",
        group(
            "AND",
            {
                "event": {"name": "offer_viewed"},
                "count": {"op": "gte", "value": 2},
                "within": {"days": 90},
            },
            where("whatsapp_consent", "eq", True),
        ),
        """c.id IN (SELECT customer_id FROM customers_customerevent
                    WHERE tenant_id = %(tenant)s AND name = 'offer_viewed'
                      AND id >= %(id_a_quarter_ago)s AND occurred_at >= %(a_quarter_ago)s
                    GROUP BY customer_id HAVING count(*) >= 2) AND s.whatsapp_promotional""",
    ),
    Rule(
        "discounts and a consent",
        group(
            "AND",
            where("discount_365_days", "gte", "500"),
            where("whatsapp_consent", "eq", True),
        ),
        """c.id IN (SELECT customer_id FROM coupons_redemption
                    WHERE tenant_id = %(tenant)s AND state <> 'reversed'
                      AND redeemed_at >= %(a_year_ago)s
                    GROUP BY customer_id HAVING sum(amount - returned) >= 50000)
           AND s.whatsapp_promotional""",
    ),
    Rule(
        "unused codes and points",
        group(
            "AND", where("unused_offer_codes", "is_set", None), where("points_balance", "lt", 50)
        ),
        """EXISTS (SELECT FROM coupons_couponcode code
                   JOIN coupons_offer offer ON offer.id = code.offer_id AND offer.is_active
                    AND (offer.valid_until IS NULL OR offer.valid_until >= %(today)s)
                   LEFT JOIN coupons_codebatch batch ON batch.id = code.batch_id
                   WHERE code.customer_id = c.id AND code.tenant_id = %(tenant)s
                     AND code.revoked_at IS NULL AND batch.revoked_at IS NULL
                     AND code.max_uses > code.used + code.reserved
                     AND (code.expires_at IS NULL OR code.expires_at > %(midnight)s))
           AND EXISTS (SELECT FROM loyalty_pointsaccount account WHERE account.customer_id = c.id
                         AND account.tenant_id = %(tenant)s
                         AND account.available - account.owed < 50)""",
    ),
    Rule(
        "codes or points, 5 conditions, 2 deep",
        group(
            "AND",
            where("offers_used", "is_set", None),
            group(
                "OR",
                where("points_expire_days", "within_next", 30),
                where("points_balance", "gte", 1500),
            ),
            group(
                "NOT",
                where("unused_offer_codes", "not_set", None),
                where("marketing_opted_out", "eq", True),
            ),
        ),
        """EXISTS (SELECT FROM coupons_redemption used
                   WHERE used.customer_id = c.id AND used.tenant_id = %(tenant)s
                     AND used.state <> 'reversed')
           AND EXISTS (SELECT FROM loyalty_pointsaccount account WHERE account.customer_id = c.id
                         AND account.tenant_id = %(tenant)s
                         AND (account.next_expiry_on BETWEEN %(today)s AND %(today)s + 30
                              OR account.available - account.owed >= 1500))
           AND EXISTS (SELECT FROM coupons_couponcode code
                       JOIN coupons_offer offer ON offer.id = code.offer_id AND offer.is_active
                        AND (offer.valid_until IS NULL OR offer.valid_until >= %(today)s)
                       LEFT JOIN coupons_codebatch batch ON batch.id = code.batch_id
                       WHERE code.customer_id = c.id AND code.tenant_id = %(tenant)s
                         AND code.revoked_at IS NULL AND batch.revoked_at IS NULL
                         AND code.max_uses > code.used + code.reserved
                         AND (code.expires_at IS NULL OR code.expires_at > %(midnight)s))
           AND s.marketing_opted_out IS NOT TRUE""",
    ),
    Rule(
        "offers used, and no friends",
        group(
            "AND", where("friends_brought", "not_set", None), where("offers_used", "is_set", None)
        ),
        """EXISTS (SELECT FROM coupons_redemption used
                   WHERE used.customer_id = c.id AND used.tenant_id = %(tenant)s
                     AND used.state <> 'reversed')
           AND NOT EXISTS (SELECT FROM referrals_referral friend
                           WHERE friend.referrer_id = c.id AND friend.tenant_id = %(tenant)s
                             AND friend.state IN ('qualified', 'held', 'approved', 'rewarded'))""",
    ),
)
BY_HAND = """
    SELECT count(*) FROM customers_customer c
    LEFT JOIN customers_customerfacts f ON f.customer_id = c.id
    LEFT JOIN customers_consentstate s ON s.customer_id = c.id
    WHERE c.tenant_id = %(tenant)s AND c.status = 'active' AND """


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    people = n or PEOPLE
    tenant_id = demo_of(people)
    for rule in RULES:
        yield compare(rule, tenant_id, people)


def compare(rule: Rule, tenant_id: uuid.UUID, people: int) -> dict[str, Any]:
    """Raises RuntimeError when the two do not count the same people."""
    from django.db import connection

    from marketing.core import clock
    from marketing.core.actor import Actor
    from marketing.core.ids import lower_bound
    from marketing.core.tenancy import tenant_scope
    from marketing.segments.context import RuleContext
    from marketing.segments.selectors import preview

    actor = Actor.system(tenant_id)
    ours: list[float] = []
    by_hand: list[float] = []
    counts: set[int] = set()
    with machine.watched() as watched:
        for turn in range(ROUNDS + 1):
            with tenant_scope(tenant_id):
                now = clock.now()
                today = RuleContext(now=now).today(None)
                moments: dict[str, Any] = {
                    "month_ago": today.start(-30),
                    "half_a_year_ago": today.start(-180),
                    "a_quarter_ago": today.start(-90),
                    "a_year_ago": today.start(-365),
                    "midnight": today.start(0),
                    "today": today.today,
                    "id_a_quarter_ago": lower_bound(today.start(-91)),
                }
                begun = time.perf_counter()
                counts.add(preview(actor, rule.tree, None, now=now).count)
                between = time.perf_counter()
                with connection.cursor() as cursor:
                    cursor.execute(BY_HAND + rule.by_hand, {"tenant": tenant_id, **moments})
                    counts.add(cursor.fetchone()[0])
                # The first turn reads what neither shall be timed for.
                if turn:
                    ours.append(between - begun)
                    by_hand.append(time.perf_counter() - between)
    if len(counts) != 1:
        raise RuntimeError(f"{rule.name}: counted {sorted(counts)}")
    p95, hand_p95 = (sorted(times)[ROUNDS * 95 // 100 - 1] * 1000 for times in (ours, by_hand))
    ratio = _median(ours) / _median(by_hand)
    return {
        "bench": "preview",
        "what": rule.name,
        "n": people,
        "seconds": round(sum(ours), 2),
        "customers": counts.pop(),
        "p50_ms": round(_median(ours) * 1000),
        "p95_ms": round(p95),
        "by_hand_p50_ms": round(_median(by_hand) * 1000),
        "by_hand_p95_ms": round(hand_p95),
        "ratio": round(ratio, 2),
        "foreign_cpu": watched.foreign_share,
        "bar": {"p95_ms": BAR_MS, "ratio": BAR_RATIO},
        "reached": p95 <= BAR_MS and ratio <= BAR_RATIO,
    }


def _median(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]
