"""What raw rows keep of a person: shown to her, and forgotten with her."""

from typing import Any

from django.db import connection
from django.db.models import Count, Q

from billing_bridge.models import RawPerson, RawRow
from customers.models import Customer
from marketing.core import clock

# What failed was never tied to anybody: it is looked through for her addresses. They are few.
FORGET = """
UPDATE billing_bridge_rawrow
SET body = '', forgotten_at = %(now)s, error = error - 'fields' - 'message' - 'errors'
WHERE tenant_id = %(tenant)s AND forgotten_at IS NULL AND (
    id IN (SELECT row_id FROM billing_bridge_rawperson WHERE customer_id = ANY(%(people)s))
    OR state <> 'applied' AND EXISTS (
        SELECT FROM unnest(%(words)s::text[]) AS word
        WHERE position(convert_to(word, 'UTF8') IN body) > 0))
"""


def export_rows(customer: Customer) -> list[dict[str, Any]]:
    """What was sent about her alone; calls about many people are left out for the others' sake."""
    hers = RawPerson.objects.filter(customer_id__in=_all_of(customer)).values("row_id")
    alone = (
        RawPerson.objects.filter(row_id__in=hers)
        .values("row_id")
        .annotate(people=Count("customer_id", distinct=True))
        .filter(people=1)
    )
    rows = RawRow.objects.filter(pk__in=alone.values("row_id"), forgotten_at=None)
    return [
        {
            "operation": row.operation,
            "receivedAt": row.received_at,
            "body": bytes(row.body).decode(errors="replace"),
        }
        for row in rows.order_by("pk")
    ]


def forget_rows(customer: Customer) -> None:
    """Empty every body in which she stands, together with whoever else does."""
    words = [customer.phone, customer.phone[-10:], customer.email, customer.external_id or ""]
    with connection.cursor() as cursor:
        cursor.execute(
            FORGET,
            {
                "tenant": customer.tenant_id,
                "now": clock.now(),
                "people": _all_of(customer),
                "words": [word for word in words if len(word) > 3],
            },
        )


def _all_of(customer: Customer) -> list[Any]:
    """She and whoever was merged into her."""
    return list(
        Customer.objects.filter(Q(pk=customer.pk) | Q(merged_into=customer)).values_list(
            "pk", flat=True
        )
    )
