"""New chains."""

from collections.abc import Sequence
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import transaction

from marketing.core import events
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.models import Role, Staff, Tenant
from marketing.core.services.staff import create_staff
from marketing.core.tenancy import tenant_scope


@transaction.atomic
def create_tenant(
    *,
    name: str,
    slug: str,
    owner_name: str,
    owner_username: str,
    owner_email: str,
    owner_password: str,
    country: str = "IN",
    time_zone: str = "Asia/Kolkata",
    currency: str = "INR",
    languages: Sequence[str] = ("en", "hi"),
) -> tuple[Tenant, Staff]:
    """A chain and its first super owner. Raises `ValidationFailed`; then neither is made."""
    tenant = Tenant(
        name=name,
        slug=slug,
        country=country,
        time_zone=time_zone,
        currency=currency,
        languages=list(languages),
    )
    errors = {}
    if time_zone not in available_timezones():
        errors["time_zone"] = ["There is no such time zone."]
    try:
        tenant.full_clean()
    except ValidationError as error:
        errors |= error.message_dict
    if errors:
        raise ValidationFailed(fields=errors)
    tenant.save()
    with tenant_scope(tenant.pk):
        owner = create_staff(
            actor=Actor.system(tenant.pk),
            values={
                "name": owner_name,
                "role": Role.SUPER_OWNER,
                "username": owner_username,
                "email": owner_email,
                "password": owner_password,
            },
        )
        events.record("tenant.created", {"tenantId": str(tenant.pk)})
    return tenant, owner
