"""All addresses of a customer; the primary one of each kind stands on the customer too."""

from django.db import transaction
from django.utils.translation import gettext as _

from customers import rules
from customers.models import ContactPoint, Customer
from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant

PRIMARY_FIELDS = {
    ContactPoint.Kind.PHONE: "phone",
    ContactPoint.Kind.EMAIL: "email",
    ContactPoint.Kind.WHATSAPP: "whatsapp_id",
}


def set_primary(customer: Customer) -> None:
    """Bring the primary contact points in line with the customer's own columns.

    An address that was replaced goes, unless she opted out under it: she is to be known by it
    when a file brings it again. One that she had beside it becomes primary. Part of the
    transaction that changed the customer.
    """
    for kind, field in PRIMARY_FIELDS.items():
        value = getattr(customer, field)
        points = customer.contact_points.filter(kind=kind)
        replaced = points.filter(is_primary=True).exclude(value=value)
        replaced.filter(customer__consent__marketing_opted_out=True).update(is_primary=False)
        replaced.delete()
        if value:
            ContactPoint.objects.update_or_create(
                customer=customer, kind=kind, value=value, defaults={"is_primary": True}
            )


@transaction.atomic
def add_contact_point(*, actor: Actor, customer: Customer, kind: str, value: str) -> ContactPoint:
    """Note another address of the customer; the same one again changes nothing."""
    try:
        if kind == ContactPoint.Kind.PHONE:
            value = rules.normalize_phone(value, current_tenant().country)
        elif kind == ContactPoint.Kind.EMAIL:
            value = rules.normalize_email(value)
    except ValueError as error:
        raise ValidationFailed(fields={"value": [_(str(error))]}) from error
    point, made = ContactPoint.objects.get_or_create(customer=customer, kind=kind, value=value)
    if made:
        audit.record(actor, "customer.add_contact_point", customer, {"kind": kind})
    return point
