"""The addresses of two who become one: all of them are hers then."""

import uuid
from typing import Any

from django.db import connection

from customers.models import ContactPoint, Customer
from customers.services.contact_points import PRIMARY_FIELDS
from marketing.core.tenancy import current_tenant_id

COLUMNS = tuple(PRIMARY_FIELDS.values())
POINT = ("id", "customer_id", "kind", "value", "is_primary", "verified_at", "created_at")

# Her columns are addresses too, even where no row says so.
COMPLETE = """
INSERT INTO customers_contactpoint (tenant_id, customer_id, kind, value, is_primary)
SELECT %s, c.id, v.kind, v.value, false
FROM customers_customer c
CROSS JOIN LATERAL (VALUES ('phone', c.phone), ('email', c.email), ('whatsapp', c.whatsapp_id))
    AS v(kind, value)
WHERE c.id = ANY(%s) AND v.value <> ''
ON CONFLICT (tenant_id, customer_id, kind, value) DO NOTHING
RETURNING id
"""


def merge_addresses(*, keep: Customer, other: Customer) -> dict[str, Any]:
    """Give all of the other's addresses to `keep`, none of them primary; both are locked.

    `set_primary` follows when it is known which those are. Returns what was, for
    `separate_addresses`.
    """
    points = ContactPoint.objects.filter(customer__in=[keep, other])
    before = list(points.order_by("pk").values(*POINT))
    with connection.cursor() as cursor:
        cursor.execute(COMPLETE, [current_tenant_id(), [keep.pk, other.pk]])
        made = [str(pk) for (pk,) in cursor.fetchall()]
    points.update(is_primary=False)
    known = set(keep.contact_points.values_list("kind", "value"))
    hers = list(other.contact_points.all())
    doubled = [point.pk for point in hers if (point.kind, point.value) in known]
    other.contact_points.filter(pk__in=doubled).delete()
    other.contact_points.update(customer=keep)
    return {"before": before, "made": made}


def set_primary(customer: Customer) -> None:
    """Mark the addresses that stand in her columns; the others stay beside them."""
    for kind, field in PRIMARY_FIELDS.items():
        points = customer.contact_points.filter(kind=kind)
        points.exclude(value=getattr(customer, field)).update(is_primary=False)
        points.filter(value=getattr(customer, field)).update(is_primary=True)


def separate_addresses(*, keep: Customer, other: Customer, record: dict[str, Any]) -> None:
    """Give each her addresses back; what the survivor got since stays hers.

    Both have their own columns again.
    """
    ContactPoint.objects.filter(pk__in=record["made"]).delete()
    before = [
        row | {"customer_id": uuid.UUID(row["customer_id"]), "id": uuid.UUID(row["id"])}
        for row in record["before"]
    ]
    ContactPoint.objects.filter(pk__in=[row["id"] for row in before]).delete()
    since = set(keep.contact_points.values_list("kind", "value"))
    hers = [row for row in before if row["customer_id"] == other.pk]
    own = [
        row | {"is_primary": False}
        for row in before
        if row["customer_id"] == keep.pk and (row["kind"], row["value"]) not in since
    ]
    ContactPoint.objects.bulk_create(ContactPoint(**row) for row in [*hers, *own])
    set_primary(keep)
