"""A person's rights over what is kept about them: to have it all, and to have it erased."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import Q

from customers import person_data
from customers.facts import mark_stale
from customers.models import (
    CategoryRhythm,
    ContactPoint,
    Customer,
    CustomerEvent,
    CustomerMerge,
    PurchaseLine,
    PurchaseRefund,
)
from customers.services.consent import withdraw_everything
from customers.services.suppression import suppress_customer
from marketing.core import audit, events
from marketing.core.actor import Actor
from marketing.core.models import AuditEntry

BLANK: dict[str, Any] = {
    "external_id": None,
    "first_name": "–",
    "last_name": "",
    "phone": "",
    "email": "",
    "whatsapp_id": "",
    "birth_date": None,
    "anniversary": None,
    "gender": "",
    "tags": [],
    "attributes": {},
    "latitude": None,
    "longitude": None,
    "status": Customer.Status.ERASED,
}


@transaction.atomic
def erase_customer(*, actor: Actor, customer: Customer) -> None:
    """Blank everything that tells who the customer was.

    Her visits and bills stay as numbers of the business, the consent ledger as evidence, and
    her addresses as hashes that must not be written to, so that a later import does not bring
    her back. Raises `Conflict` when she is no longer active.
    """
    withdraw_everything(actor=actor, customer=customer, source="erasure")
    customer.refresh_from_db()
    suppress_customer(customer=customer)
    for holding in person_data.holdings():
        holding.erase(customer)
    customer.contact_points.all().delete()
    customer.notes.all().delete()
    customer.refused_topics.all().delete()
    _forget_merged(customer)
    CustomerEvent.objects.filter(customer=customer).update(properties={})
    for name, value in BLANK.items():
        setattr(customer, name, value)
    customer.version += 1
    customer.save()
    _forget_changes(customer)
    mark_stale([customer.pk])
    audit.record(actor, "customer.erase", customer)
    events.record("customer.erased", {"customerId": str(customer.pk)}, actor_id=actor.user_id)


@transaction.atomic
def export_customer(*, actor: Actor, customer: Customer) -> dict[str, Any]:
    """Everything kept about the customer, as JSON values."""
    data = {
        "customer": _row(customer),
        "contactPoints": _rows(customer.contact_points.order_by("pk")),
        "facts": _row(customer.facts),
        "rhythms": _rows(CategoryRhythm.objects.filter(customer=customer).order_by("pk")),
        "consent": _row(customer.consent),
        "consentRecords": _rows(customer.consent_records.order_by("pk")),
        "notes": _rows(customer.notes.order_by("pk")),
        "refusedTopics": _rows(customer.refused_topics.order_by("pk")),
        "mergedFrom": _rows(Customer.objects.filter(merged_into=customer).order_by("pk")),
        "visits": _rows(customer.visits.order_by("pk")),
        "purchases": _rows(customer.purchases.order_by("pk")),
        "purchaseRefunds": _rows(PurchaseRefund.objects.filter(purchase__customer=customer)),
        "purchaseLines": _rows(PurchaseLine.objects.filter(purchase__customer=customer)),
        "memberships": _rows(customer.memberships.order_by("pk")),
        "packages": _rows(customer.packages.order_by("pk")),
        "events": _rows(CustomerEvent.objects.filter(customer=customer).order_by("pk")),
    }
    data |= {holding.name: holding.export(customer) for holding in person_data.holdings()}
    audit.record(actor, "customer.export", customer)
    plain: dict[str, Any] = json.loads(json.dumps(data, cls=DjangoJSONEncoder))
    return plain


def _forget_merged(customer: Customer) -> None:
    """Blank those who became one with her too; no merge of hers can be undone then."""
    merged = Customer.objects.filter(merged_into=customer)
    AuditEntry.objects.filter(
        object_type=customer._meta.label_lower, object_id__in=merged.values("pk")
    ).update(changes={})
    ContactPoint.objects.filter(customer__in=merged).delete()
    merged.update(**BLANK | {"status": Customer.Status.MERGED})
    ends = Q(survivor=customer) | Q(merged=customer)
    CustomerMerge.objects.filter(ends).update(record={})


def _row(row: models.Model) -> dict[str, Any]:
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name != "tenant" and not field.generated
    }


def _rows(rows: models.QuerySet[Any]) -> list[dict[str, Any]]:
    return [_row(row) for row in rows]


def _forget_changes(customer: Customer) -> None:
    """The audit trail keeps who did what and when, but not the names and numbers it noted."""
    AuditEntry.objects.filter(object_type=customer._meta.label_lower, object_id=customer.pk).update(
        changes={}
    )
