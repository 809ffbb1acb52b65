"""The ground of the counter's benches: a chain of a million whose tills ask all there is to ask.

Two hundred live offers of every kind, half of them automatic, with segments, hours, branches,
minimums and limits; a million codes; points and referrals on. Bills have twenty lines.
"""

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench import ground, load

PEOPLE = 1_000_000
CODES = 1_000_000
OFFERS = 200
LINES = 20
SERVICES, CATEGORIES = 60, 8
# Who comes: they have points, and bills of before.
REGULARS = 500
PREFIX = "BENCH"
# In the names of bills: points keep those of former runs.
RUN = uuid.uuid4().hex[:8]

# What bills leave behind, but for the sale itself.
WRITTEN = (
    "coupons_reservation", "coupons_hold", "coupons_redemption", "coupons_reversal",
    "core_idempotencyrecord", "billing_bridge_rawrow", "billing_bridge_rawperson",
    "customers_purchaserefund", "customers_stalefacts", "loyalty_pointsaccount",
    "loyalty_pointstransaction", "loyalty_pointsentry", "loyalty_pointslot", "loyalty_lotuse",
    "loyalty_earnedline", "loyalty_pointshold", "loyalty_tierchange",
)  # fmt: skip

FACTS = """
INSERT INTO customers_customerfacts (tenant_id, customer_id, visit_count, total_spend)
SELECT tenant_id, id, n %% 12, (n %% 12) * 850
FROM (SELECT tenant_id, id, row_number() OVER () AS n FROM customers_customer
      WHERE tenant_id = %(tenant)s) people
ON CONFLICT DO NOTHING
"""
CODE = "%(prefix)s || lpad(n::text, 7, '0')"
MAKE_CODES = f"""
INSERT INTO coupons_couponcode (tenant_id, offer_id, code, key, max_uses)
SELECT %(tenant)s, %(offer)s, {CODE}, {CODE}, 1 FROM generate_series(1, %(codes)s) AS n
"""
PURCHASES = """
INSERT INTO customers_purchase (tenant_id, customer_id, branch_id, external_id, invoice_number,
    subtotal, discount, tax, total, status, purchased_at)
SELECT %(tenant)s, id, home_branch_id, '', '', 1200, 0, 0, 1200, 'finalised',
       now() - n * interval '30 days'
FROM unnest(%(regulars)s::uuid[]) AS regular JOIN customers_customer ON id = regular
CROSS JOIN generate_series(1, 5) AS n
"""
KINDS: tuple[dict[str, Any], ...] = (
    {"discountType": "percentage", "discountValue": "10"},
    {"discountType": "percentage", "discountValue": "15", "scope": "line"},
    {"discountType": "flat", "discountValue": "200"},
    {"discountType": "flat", "discountValue": "50", "scope": "line"},
    {"discountType": "fixed_price", "discountValue": "299"},
    {"discountType": "free_service"},
    {"discountType": "buy_x_get_y", "buyGet": {"buyQuantity": 2, "getQuantity": 1}},
    {"discountType": "bundle", "discountValue": "1999"},
    {
        "discountType": "spend_tiers",
        "tiers": [{"from": "2000", "percent": "5"}, {"from": "6000", "percent": "8"}],
    },
)
SEGMENTS: tuple[dict[str, Any], ...] = (
    {"field": "visit_count", "op": "gte", "value": 5},
    {"field": "total_spend", "op": "gte", "value": 5000},
    {"field": "tags", "op": "in", "value": ["vip"]},
    {"field": "visit_count", "op": "lt", "value": 2},
)


@dataclass(frozen=True)
class Tills:
    """The chain as its tills know it; `headers` let them in."""

    tenant_id: uuid.UUID
    branches: Sequence[str]
    regulars: Sequence[str]
    services: Sequence[str]
    offer_of_codes: uuid.UUID
    headers: dict[str, str]

    def bill(self, rnd: random.Random, *codes: str, **more: Any) -> dict[str, Any]:
        """Twenty lines for one of the regulars."""
        lines = [
            {
                "serviceId": service,
                "quantity": rnd.choice((1, 1, 1, 2)),
                "unitPrice": f"{rnd.randint(100, 2000)}.00",
                "taxRate": "18",
            }
            for service in rnd.sample(self.services, LINES)
        ]
        return {
            "branchId": rnd.choice(self.branches),
            "customerId": rnd.choice(self.regulars),
            "lines": lines,
            "codes": list(codes),
            **more,
        }

    def call(self, path: str, body: Any = None, *, method: str = "POST") -> str:
        """A line for the load client, under a key of its own."""
        headers = {**self.headers, "Idempotency-Key": str(uuid.uuid4())}
        text = "" if body is None else json.dumps(body)
        return load.whole(method, f"/api/v1/{path}", headers, text)


def codes() -> Iterator[str]:
    """Codes of the million, each once."""
    with ground.admin() as server:
        # What former runs used stays used.
        row = server.execute(
            "SELECT coalesce(max(substr(code, %s)::bigint), 0) FROM coupons_couponcode"
            " WHERE batch_id IS NULL AND starts_with(key, %s) AND used + reserved > 0",
            [len(PREFIX) + 1, PREFIX],
        ).fetchone()
    first = row[0] if row else 0
    for number in range(first + 1, CODES + 1):
        yield f"{PREFIX}{number:07d}"


def standing(people: int) -> Tills:
    """The chain, made once for so many customers."""
    from marketing.core.api_keys import issue_api_key
    from marketing.core.models import Branch
    from marketing.core.tenancy import tenant_scope
    from marketing.coupons.models import CouponCode, Offer

    tenant_id = ground.chain_of(people)
    with tenant_scope(tenant_id):
        offer = Offer.objects.filter(name=PREFIX).first()
        if offer is None or not CouponCode.objects.filter(offer=offer).exists():
            offer = _make(tenant_id)
        branches = [str(pk) for pk in Branch.objects.values_list("pk", flat=True)]
        _key, secret = issue_api_key(
            tenant_id=tenant_id, name="Tills", scopes=["counter", "read"], branch_ids=None
        )
        regulars, services = _regulars(), _services()
    with ground.admin() as server:
        known = server.execute("SELECT FROM pg_stats WHERE tablename = 'coupons_couponcode'")
        if known.fetchone() is None:
            server.execute("VACUUM ANALYZE")
    return Tills(
        tenant_id,
        branches,
        [str(pk) for pk in regulars],
        services,
        offer.pk,
        {"Authorization": f"Api-Key {secret}"},
    )


def forget_bills(tenant_id: uuid.UUID) -> None:
    """Empty what runs wrote, so that each finds its regulars as the first did; used codes stay."""
    from marketing.core.tenancy import tenant_scope

    with ground.admin() as server:
        server.execute("TRUNCATE " + ", ".join(WRITTEN))
        # The rows of the ground are nameless; without triggers, keys are not looked at either.
        server.execute("SET session_replication_role = replica")
        server.execute(
            "WITH sold AS (DELETE FROM customers_purchase WHERE tenant_id = %s"
            " AND external_id <> '' RETURNING id)"
            " DELETE FROM customers_purchaseline WHERE purchase_id IN (SELECT id FROM sold)",
            [tenant_id],
        )
        server.execute("DELETE FROM customers_visit WHERE tenant_id = %s", [tenant_id])
    with tenant_scope(tenant_id):
        _give_points(_regulars())
    with ground.admin() as server:
        server.execute("VACUUM ANALYZE customers_purchase, customers_purchaseline, customers_visit")
        server.execute("CHECKPOINT")


def _give_points(regulars: Sequence[uuid.UUID]) -> None:
    from customers.models import Customer
    from tests.factories import loyalty

    for pk in regulars:
        loyalty.earn(Customer(pk=pk), 40_000)


def _regulars() -> list[uuid.UUID]:
    from customers.models import Customer

    return list(Customer.objects.order_by("pk").values_list("pk", flat=True)[:REGULARS])


def _services() -> list[str]:
    from customers.models import Service

    ids = Service.objects.filter(external_id__startswith=PREFIX).order_by("external_id")
    return [str(pk) for pk in ids.values_list("pk", flat=True)]


def _make(tenant_id: uuid.UUID) -> Any:
    """Everything but the customers, in few statements."""
    from django.db import connection

    from customers.models import Service, ServiceCategory
    from tests.factories import coupons, loyalty, referrals

    categories = ServiceCategory.objects.bulk_create(
        ServiceCategory(external_id=f"{PREFIX}{i}", name=f"Category {i}") for i in range(CATEGORIES)
    )
    Service.objects.bulk_create(
        Service(
            external_id=f"{PREFIX}{i}",
            category=categories[i % CATEGORIES],
            name=f"Service {i}",
            price=100 + i * 30,
        )
        for i in range(SERVICES)
    )
    loyalty.make_programme(points_per_100=5)
    referrals.make_programme()
    _make_offers()
    offer = coupons.make_offer(
        name=PREFIX,
        automatic=False,
        discountValue="12",
        maxTotalUses=100_000_000,
        maxUsesPerCustomer=1_000_000,
    )
    regulars = _regulars()
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"tenant": tenant_id, "regulars": regulars}
        cursor.execute(FACTS, values)
        cursor.execute(PURCHASES, values)
        cursor.execute(
            MAKE_CODES,
            {"tenant": tenant_id, "offer": offer.pk, "prefix": PREFIX, "codes": CODES},
        )
    _give_points(regulars)
    return offer


def _make_offers() -> None:
    from marketing.core.models import Branch
    from marketing.segments.models import Segment
    from tests.factories import coupons

    rnd = random.Random(1)
    services = _services()
    branches = [str(pk) for pk in Branch.objects.values_list("pk", flat=True)]
    segments = [
        Segment.objects.create(
            name=f"{PREFIX} {i}", rules={"operator": "AND", "conditions": [condition]}
        )
        for i, condition in enumerate(SEGMENTS)
    ]
    for i in range(OFFERS):
        body = {**rnd.choice(KINDS), "serviceIds": rnd.sample(services, rnd.randint(2, 15))}
        if body["discountType"] == "free_service":
            body["freeServiceId"] = rnd.choice(services)
        if body["discountType"] == "bundle":
            parts = [{"serviceIds": [pk]} for pk in rnd.sample(services, 3)]
            body["bundle"] = {"parts": parts}
        if i % 2:
            body["minOrderAmount"] = str(rnd.randint(100, 9000))
        if i % 4 == 0:
            body["maxTotalUses"] = 1_000_000
        if i % 5 == 0:
            body["maxUsesPerCustomer"] = 1_000_000
        if i % 10 == 0:
            body["segmentIds"] = [str(rnd.choice(segments).pk)]
        if i % 7 == 0:
            body["branchIds"] = rnd.sample(branches, 4)
        if i % 9 == 0:
            body["hours"] = [{"from": "00:00", "until": rnd.choice(("12:00", "23:59"))}]
        coupons.make_offer(automatic=i % 4 < 2, **body)
