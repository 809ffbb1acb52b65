"""What customers did, as counters, feeds and imports report it.

Every report may come twice: the sender's id (`external_id`) makes the second one do nothing.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction

from customers.facts import mark_stale
from customers.models import (
    Customer,
    Membership,
    Package,
    Purchase,
    PurchaseLine,
    Service,
    Visit,
)
from customers.services.standing import standing
from marketing.core import events
from marketing.core.actor import Actor
from marketing.core.models import Branch, Staff

# An escape that is not itself escaped.
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

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


@transaction.atomic
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
    customer = standing(customer)
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
    purchase.visit = _visit_of_the_day(actor, purchase)
    purchase.save(update_fields=["visit"])
    PurchaseLine.objects.bulk_create(
        PurchaseLine(
            purchase=purchase,
            service=line.service,
            category_id=line.service.category_id,
            staff=line.staff,
            quantity=line.quantity,
            unit_price=line.unit_price,
            amount=line.amount,
            number=line.number,
            discount=line.discount,
        )
        for line in lines
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
    external_id = row.external_id
    known = type(row).objects.filter(external_id=external_id)
    if external_id and (found := known.first()):
        return found, False
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # Somebody else reported it in the meantime; any other breach has no such row.
        return known.get(), False
    return row, True


def _visit_of_the_day(actor: Actor, purchase: Purchase) -> Visit:
    zone = ZoneInfo(purchase.branch.time_zone)
    start = purchase.purchased_at.astimezone(zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    day = Visit.objects.filter(
        customer=purchase.customer,
        branch=purchase.branch,
        visited_at__gte=start,
        visited_at__lt=start + dt.timedelta(days=1),
    )
    if visit := day.order_by("-visited_at").first():
        return visit
    visit = Visit.objects.create(
        customer=purchase.customer, branch=purchase.branch, visited_at=purchase.purchased_at
    )
    _visit_completed(actor, visit)
    return visit


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
