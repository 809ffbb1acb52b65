"""What customers did, as counters, feeds and imports report it.

Every report may come twice: the sender's id (`external_id`) makes the second one do nothing.
"""

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from customers.facts import mark_stale
from customers.models import (
    Customer,
    Membership,
    Package,
    Purchase,
    Service,
    Visit,
)
from customers.services.standing import standing
from marketing.core import events
from marketing.core.actor import Actor
from marketing.core.models import Branch, Staff
from marketing.core.prepared import bigints, kept_cursor, send_later
from marketing.core.tenancy import current_tenant_id
from marketing.core.whole import whole

# An escape that is not itself escaped.
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

# A text that is empty names nothing, and is given to many.
ONCE = """
INSERT INTO {table} ({columns}) VALUES ({values})
ON CONFLICT (tenant_id, external_id) WHERE external_id <> '' DO NOTHING
RETURNING id
"""
LINES = """
WITH joined AS (
    UPDATE customers_purchase SET visit_id = %(visit)s
    WHERE id = %(purchase)s AND tenant_id = %(tenant)s
)
INSERT INTO customers_purchaseline (tenant_id, purchase_id, service_id, category_id, staff_id,
    quantity, unit_price, amount, number, discount, refunded_quantity)
SELECT %(tenant)s, %(purchase)s, line.*, 0
FROM unnest(%(services)s::uuid[], %(categories)s::uuid[], %(staff)s::uuid[],
            %(quantities)s::bigint[], %(prices)s::numeric[], %(amounts)s::numeric[],
            %(numbers)s::bigint[], %(discounts)s::numeric[]) AS line
"""
VISIT_OF_THE_DAY = """
SELECT id FROM customers_visit
WHERE tenant_id = %(tenant)s AND customer_id = %(customer)s AND branch_id = %(branch)s
  AND visited_at >= %(start)s AND visited_at < %(end)s
ORDER BY visited_at DESC LIMIT 1
"""

Row = TypeVar("Row", Visit, Purchase)


@dataclass(frozen=True)
class BillLine:
    """A line of a bill; `amount` is what the line came to after its discount.

    `number` is its place on the bill, by which units of it may come back later.
    """

    service: Service
    unit_price: Decimal
    amount: Decimal
    quantity: int = 1
    staff: Staff | None = None
    number: int = 0
    discount: Decimal = Decimal(0)


@transaction.atomic
def record_visit(
    *,
    actor: Actor,
    customer: Customer,
    branch: Branch,
    visited_at: dt.datetime,
    staff: Staff | None = None,
    external_id: str = "",
) -> Visit:
    """A visit that took place; the one already known under `external_id` comes back as it is."""
    customer = standing(customer)
    visit, is_new = _once(
        Visit(
            customer=customer,
            branch=branch,
            staff=staff,
            visited_at=visited_at,
            external_id=external_id,
        )
    )
    if is_new:
        _visit_completed(actor, visit)
        mark_stale([customer.pk])
    return visit


@whole()
def record_purchase(
    *,
    actor: Actor,
    customer: Customer,
    branch: Branch,
    purchased_at: dt.datetime,
    lines: Sequence[BillLine],
    subtotal: Decimal,
    total: Decimal,
    discount: Decimal = Decimal(0),
    tax: Decimal = Decimal(0),
    external_id: str = "",
    invoice_number: str = "",
    payments: Sequence[Mapping[str, str]] = (),
) -> Purchase:
    """A bill that was paid; the one already known under `external_id` comes back as it is.

    It belongs to the customer's visit at that branch on that day, and makes one where none
    was reported.
    """
    # Of a day's visit only one may ask whether it is known, and make it.
    customer = standing(customer, alone=True)
    purchase, is_new = _once(
        Purchase(
            customer=customer,
            branch=branch,
            purchased_at=purchased_at,
            subtotal=subtotal,
            discount=discount,
            tax=tax,
            total=total,
            external_id=external_id,
            invoice_number=invoice_number,
            payments=list(payments),
        )
    )
    if not is_new:
        return purchase
    purchase.visit_id = _visit_of_the_day(actor, purchase)
    send_later(
        LINES,
        {
            "tenant": current_tenant_id(),
            "purchase": purchase.pk,
            "visit": purchase.visit_id,
            "services": [line.service.pk for line in lines],
            "categories": [line.service.category_id for line in lines],
            "staff": [line.staff and line.staff.pk for line in lines],
            "quantities": bigints(line.quantity for line in lines),
            "prices": [line.unit_price for line in lines],
            "amounts": [line.amount for line in lines],
            "numbers": bigints(line.number for line in lines),
            "discounts": [line.discount for line in lines],
        },
    )
    events.record(
        "invoice.finalized",
        {
            "customerId": str(customer.pk),
            "purchaseId": str(purchase.pk),
            "branchId": str(branch.pk),
            "total": str(total),
        },
        actor_id=actor.user_id,
    )
    mark_stale([customer.pk])
    return purchase


@transaction.atomic
def record_membership(
    *, actor: Actor, customer: Customer, external_id: str, values: Mapping[str, Any]
) -> Membership:
    """A membership as the selling system knows it now: plan, status, starts_on, expires_on."""
    customer = standing(customer)
    membership, _made = Membership.objects.update_or_create(
        external_id=external_id, defaults={"customer": customer, **values}
    )
    mark_stale([customer.pk])
    return membership


@transaction.atomic
def record_package(
    *, actor: Actor, customer: Customer, external_id: str, values: Mapping[str, Any]
) -> Package:
    """A package as the selling system knows it now.

    `values`: name, sessions_total, sessions_used, is_cancelled, starts_on, expires_on.
    """
    customer = standing(customer)
    package, _made = Package.objects.update_or_create(
        external_id=external_id, defaults={"customer": customer, **values}
    )
    mark_stale([customer.pk])
    return package


def as_json(value: Any) -> str:
    """JSON without NUL characters, which senders let slip and PostgreSQL refuses."""
    return NUL.sub(r"\1", DjangoJSONEncoder().encode(value))


def _once(row: Row) -> tuple[Row, bool]:
    """Insert the row unless its `external_id` is known; that row then, and whether it is new."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    with kept_cursor() as cursor:
        cursor.execute(
            ONCE.format(
                table=row._meta.db_table,
                columns=", ".join(str(field.column) for field in fields),
                values=", ".join(["%s"] * len(fields)),
            ),
            [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields],
        )
        made = cursor.fetchone()
    if made is None:
        return type(row).objects.get(external_id=row.external_id), False
    row.pk = made[0]
    row._state.adding = False
    return row, True


def _visit_of_the_day(actor: Actor, purchase: Purchase) -> uuid.UUID:
    """The id of the customer's last visit there on that day, or of one that is made."""
    zone = ZoneInfo(purchase.branch.time_zone)
    start = purchase.purchased_at.astimezone(zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    with kept_cursor() as cursor:
        cursor.execute(
            VISIT_OF_THE_DAY,
            {
                "tenant": current_tenant_id(),
                "customer": purchase.customer_id,
                "branch": purchase.branch_id,
                "start": start,
                "end": start + dt.timedelta(days=1),
            },
        )
        if found := cursor.fetchone():
            known: uuid.UUID = found[0]
            return known
    visit, _is_new = _once(
        Visit(customer=purchase.customer, branch=purchase.branch, visited_at=purchase.purchased_at)
    )
    _visit_completed(actor, visit)
    return visit.pk


def _visit_completed(actor: Actor, visit: Visit) -> None:
    events.record(
        "visit.completed",
        {
            "customerId": str(visit.customer_id),
            "visitId": str(visit.pk),
            "branchId": str(visit.branch_id),
        },
        actor_id=actor.user_id,
    )
