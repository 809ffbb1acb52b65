"""The user ids by which WhatsApp names people: each business portfolio knows them by others."""

import uuid
from collections.abc import Collection
from typing import Any

from django.db import connection, transaction

from customers.models import ContactPoint, Customer
from customers.services.contact_points import add_contact_point
from customers.services.customers import update_customer
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id

# In this order: the people first, as everybody locks them who changes their addresses.
USE_WHATSAPP_IDS = (
    """
    SELECT count(*) FROM (
        SELECT FROM customers_customer WHERE tenant_id = %(tenant)s AND id IN (
            SELECT customer_id FROM customers_contactpoint
            WHERE tenant_id = %(tenant)s AND kind = 'whatsapp')
        ORDER BY id FOR NO KEY UPDATE) locked
    """,
    """
    UPDATE customers_contactpoint SET heard_by = %(former)s
    WHERE tenant_id = %(tenant)s AND kind = 'whatsapp' AND heard_by IS NULL
      AND %(former)s::uuid IS NOT NULL
    """,
    """
    UPDATE customers_contactpoint SET is_primary = false
    WHERE tenant_id = %(tenant)s AND kind = 'whatsapp' AND is_primary
      AND heard_by <> ALL (%(heard_by)s)
    """,
    """
    UPDATE customers_contactpoint SET is_primary = true WHERE id IN (
        SELECT DISTINCT ON (p.customer_id) p.id FROM customers_contactpoint p
        WHERE p.tenant_id = %(tenant)s AND p.kind = 'whatsapp' AND p.heard_by = ANY (%(heard_by)s)
          AND NOT EXISTS (SELECT FROM customers_contactpoint o WHERE o.tenant_id = %(tenant)s
                          AND o.customer_id = p.customer_id AND o.kind = 'whatsapp'
                          AND o.is_primary)
        ORDER BY p.customer_id, p.id DESC)
    """,
    """
    UPDATE customers_customer c SET whatsapp_id = p.whatsapp_id, version = c.version + 1
    FROM (
        SELECT customer_id, coalesce(max(value) FILTER (WHERE is_primary), '') AS whatsapp_id
        FROM customers_contactpoint WHERE tenant_id = %(tenant)s AND kind = 'whatsapp'
        GROUP BY customer_id) p
    WHERE c.tenant_id = %(tenant)s AND c.id = p.customer_id AND c.whatsapp_id <> p.whatsapp_id
    """,
)


@transaction.atomic
def note_whatsapp_id(
    *, actor: Actor, customer: Customer, value: str, heard_by: uuid.UUID, is_senders: bool
) -> None:
    """Note the user id by which WhatsApp names her to an account; the same again changes nothing.

    She is written to by it if it is the sending portfolio's.
    """
    point = customer.contact_points.filter(kind=ContactPoint.Kind.WHATSAPP, value=value).first()
    if point is None:
        point = add_contact_point(
            actor=actor, customer=customer, kind=ContactPoint.Kind.WHATSAPP, value=value
        )
    if point.heard_by != heard_by:
        ContactPoint.objects.filter(pk=point.pk).update(heard_by=heard_by)
    if is_senders and customer.whatsapp_id != value:
        update_customer(actor=actor, customer=customer, values={"whatsapp_id": value})


@transaction.atomic
def use_whatsapp_ids(*, heard_by: Collection[uuid.UUID], former: uuid.UUID | None = None) -> None:
    """Write to people by the WhatsApp ids that these accounts heard, the latest of several.

    Who is known to none of them has no id from now on, until she writes. Ids of unknown origin
    belong to `former`, who sent until now; None: to these accounts.
    """
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "heard_by": list(heard_by),
        "former": former,
    }
    with connection.cursor() as cursor:
        for statement in USE_WHATSAPP_IDS:
            cursor.execute(statement, values)
