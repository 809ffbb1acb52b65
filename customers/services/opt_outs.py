"""Opting out by what a person gives to be known by: an address, or a signed link."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers import rules, selectors
from customers.links import Unsubscribe
from customers.models import Channel, ContactPoint, Suppression
from customers.services.consent import opt_out
from customers.services.suppression import suppress_addresses
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant

SUPPRESSED_CHANNELS = {
    ContactPoint.Kind.PHONE: (Channel.WHATSAPP, Channel.SMS),
    ContactPoint.Kind.EMAIL: (Channel.EMAIL,),
}


@transaction.atomic
def opt_out_address(*, actor: Actor, kind: str, value: str, source: str) -> None:
    """Stop all marketing to a phone or e-mail address, whoever is behind it.

    Families share addresses: everyone with it opts out. An address nobody has is suppressed,
    so that it stays quiet when it is imported later. Raises `ValidationFailed` for a malformed
    one only: the answer never tells whether somebody has the address.
    """
    try:
        if kind == ContactPoint.Kind.PHONE:
            value = rules.normalize_phone(value, current_tenant().country)
        else:
            value = rules.normalize_email(value)
    except ValueError as error:
        raise ValidationFailed(fields={kind: [_(str(error))]}) from error
    people = list(selectors.customers_with_address(kind, value))
    for customer in people:
        opt_out(actor=actor, customer=customer, source=source)
    if not people:
        suppress_addresses(
            (channel, value, Suppression.Reason.OPTED_OUT)
            for channel in SUPPRESSED_CHANNELS[ContactPoint.Kind(kind)]
        )


@transaction.atomic
def opt_out_by_link(*, link: Unsubscribe, everything: bool = False, **evidence: Any) -> None:
    """Stop what the link is for, or all marketing; part of an open scope of the link's tenant.

    `evidence` as `record_consent` takes it. A person who is no longer kept has nothing to stop.
    """
    customer = selectors.person_behind_link(link.customer_id)
    if customer:
        opt_out(
            actor=Actor.system(link.tenant_id),
            customer=customer,
            source="unsubscribe_link",
            channel="" if everything else link.channel,
            **evidence,
        )
