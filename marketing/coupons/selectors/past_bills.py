"""A sample of the bills of past days, with what an offer may ask about their customers."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from customers.models import Customer, Purchase, PurchaseLine
from marketing.core import clock
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.coupons import quote_effects
from marketing.coupons.pricing.bill import CartLine
from marketing.coupons.pricing.facts import Customer as Buyer
from marketing.coupons.pricing.terms import Audience
from marketing.segments.compiler import membership
from marketing.segments.context import RuleContext
from marketing.segments.models import Segment

DAYS = 90
MOST = 3_000
CHUNK = 1_000
# Rows read at most to draw the sample from; a table with more is sampled by its pages.
READ = 400_000

SIZE = "SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'customers_purchase'::regclass"
# The same sample each time, whatever the order on the disk.
SAMPLE = """
WITH seen AS (
    SELECT id, customer_id, branch_id, invoice_number, purchased_at, total
    FROM customers_purchase TABLESAMPLE SYSTEM (%(share)s) REPEATABLE (1)
    WHERE tenant_id = %(tenant)s AND status = %(finalised)s
      AND purchased_at >= %(since)s AND purchased_at < %(until)s
      AND (%(branches)s::uuid[] IS NULL OR branch_id = ANY(%(branches)s::uuid[]))
), drawn AS (
    SELECT *, count(*) OVER () AS bills, sum(total) OVER () AS turnover
    FROM seen ORDER BY hashtextextended(id::text, 0), id LIMIT %(most)s
)
SELECT * FROM drawn ORDER BY purchased_at, id
"""
VISITS = """
SELECT bill.id, (SELECT count(*) FROM customers_purchase earlier
                 WHERE earlier.customer_id = bill.customer_id AND earlier.status = %(finalised)s
                   AND earlier.purchased_at < bill.purchased_at)
FROM customers_purchase bill
WHERE bill.id = ANY(%(bills)s) AND bill.tenant_id = %(tenant)s
"""
TIERS = """
SELECT customer.id, {tier} FROM customers_customer customer
WHERE customer.id = ANY(%(customers)s) AND customer.tenant_id = %(tenant)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastBill:
    """One bill; `total` is what was paid."""

    id: uuid.UUID
    customer_id: uuid.UUID
    branch_id: uuid.UUID
    invoice_number: str
    at: dt.datetime
    total: Decimal
    lines: tuple[CartLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastBills:
    """The sample, in order of time. Each stands for `weight` bills of the period.

    `bills` and `turnover` are of the whole period, estimated where its table was sampled.
    """

    sample: Sequence[PastBill]
    bills: int
    turnover: Decimal
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Buyers:
    """What is known of the sample's customers: of segments and tiers as of today."""

    segments: dict[uuid.UUID, set[str]] = field(default_factory=lambda: defaultdict(set))
    tiers: dict[uuid.UUID, str] = field(default_factory=dict)
    visits: dict[uuid.UUID, int] = field(default_factory=dict)

    def of(self, bill: PastBill) -> Buyer:
        return Buyer(
            id=str(bill.customer_id),
            visits=self.visits.get(bill.id, 0),
            segments=frozenset(self.segments[bill.customer_id]),
            tier=self.tiers.get(bill.customer_id, ""),
        )


def past_bills(
    now: dt.datetime, branch_ids: Collection[uuid.UUID] | None, *, most: int = MOST
) -> PastBills:
    """Finalised bills of the last 90 days with their lines, `most` of them, of these branches.

    Two statements, and one for each thousand bills. What a line cost less than its list price
    counts as taken off by hand.
    """
    with connection.cursor() as cursor:
        cursor.execute(SIZE)
        (size,) = cursor.fetchone()
        read = min(Decimal(1), Decimal(READ) / Decimal(max(size, 1)))
        cursor.execute(
            SAMPLE,
            {
                "share": read * 100,
                "tenant": current_tenant_id(),
                "finalised": Purchase.Status.FINALISED,
                "since": now - dt.timedelta(days=DAYS),
                "until": now,
                "branches": None if branch_ids is None else list(branch_ids),
                "most": most,
            },
        )
        rows = cursor.fetchall()
    if not rows:
        return PastBills(sample=(), bills=0, turnover=Decimal(0), weight=Decimal(1))
    lines = _lines([row[0] for row in rows])
    seen, turnover = rows[0][6], rows[0][7]
    return PastBills(
        sample=[
            PastBill(
                id=pk,
                customer_id=customer,
                branch_id=branch,
                invoice_number=number,
                at=at,
                total=total,
                lines=tuple(lines[pk]),
            )
            for pk, customer, branch, number, at, total, _seen, _turnover in rows
        ],
        bills=round(seen / read),
        turnover=turnover / read,
        weight=Decimal(seen) / len(rows) / read,
    )


def buyers_of(sample: Sequence[PastBill], who: Audience) -> Buyers:
    """What the audience asks about the customers: a statement for each kind of question."""
    buyers = Buyers()
    customers = sorted({bill.customer_id for bill in sample})
    for segment, members in _memberships(customers, who.segments | who.excluded_segments):
        for customer in members:
            buyers.segments[customer].add(segment)
    if who.tiers:
        sql = TIERS.format(tier=quote_effects.tier_sql())
        asked = _ask(sql, customers=customers)
        buyers.tiers.update({pk: tier or "" for pk, tier in asked})
    if who.nth_visit is not None:
        bills = [bill.id for bill in sample]
        buyers.visits.update({pk: int(visits) for pk, visits in _ask(VISITS, bills=bills)})
    return buyers


def _lines(bills: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[CartLine]]:
    lines: dict[uuid.UUID, list[CartLine]] = defaultdict(list)
    for first in range(0, len(bills), CHUNK):
        some = bills[first : first + CHUNK]
        found = PurchaseLine.objects.filter(purchase__in=some).order_by("purchase", "pk")
        for bill, service, category, quantity, price, amount in found.values_list(
            "purchase", "service", "category", "quantity", "unit_price", "amount"
        ):
            unit = int(price * 100)
            by_hand = max(0, unit * quantity - int(amount * 100))
            lines[bill].append(
                CartLine(
                    number=len(lines[bill]) + 1,
                    service=str(service),
                    category=str(category),
                    quantity=quantity,
                    unit_price=unit,
                    manual_discount=min(by_hand, unit * quantity),
                )
            )
    return lines


def _memberships(
    customers: Sequence[uuid.UUID], segment_ids: Collection[str]
) -> Iterator[tuple[str, list[uuid.UUID]]]:
    if not segment_ids:
        return
    context = RuleContext(now=clock.now(), zone=current_tenant().time_zone)
    for segment in Segment.objects.filter(pk__in=segment_ids, is_active=True):
        try:
            holds = membership(segment, context)
        except ValidationFailed:
            continue
        inside = Customer.objects.filter(pk__in=customers).filter(holds)
        yield str(segment.pk), list(inside.values_list("pk", flat=True))


def _ask(sql: str, **values: list[uuid.UUID]) -> list[tuple[uuid.UUID, Any]]:
    named: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "finalised": Purchase.Status.FINALISED,
        **values,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, named)
        found: list[tuple[uuid.UUID, Any]] = cursor.fetchall()
        return found
