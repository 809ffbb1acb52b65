"""Test sends: a campaign's message on the phones of those who work for the chain."""

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Channel, Customer
from customers.rules import normalize_email, normalize_phone
from customers.selectors import branch_customers
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.testers import testers
from marketing.campaigns.services import checks
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant
from marketing.delivery import services as delivery
from marketing.delivery.models import Message


@transaction.atomic
def send_test(
    *,
    actor: Actor,
    campaign: Campaign,
    customer: Customer | None = None,
    language: str = "",
    with_samples: bool = False,
    phone: str = "",
    email: str = "",
) -> list[Message]:
    """Send each channel's message as it would read for `customer`, or with sample values, to
    the staff member's own phone and address, or to those of a colleague; all of them or none.

    Without a customer, somebody of the audience is taken; without a language, hers. Raises
    `ValidationFailed` when there is no address of staff to send to, what operators would refuse,
    and the switches' and the provider's refusals (001, 002, 052). A test costs what its message
    costs, and counts in no cap and no figure of the campaign.
    """
    actor.require("campaign.send")
    checks.require_content(campaign)
    languages = current_tenant().languages
    if language and language not in languages:
        raise ValidationFailed(fields={"language": [_("The chain does not write in it.")]})
    customer = customer or plan.audience(campaign, clock.now()).first()
    if customer is None and with_samples:
        customer = branch_customers(actor).first()
    if customer is None:
        raise ValidationFailed(
            fields={"customerId": [_("Nobody is in this audience; choose one.")]}
        )
    return [
        delivery.send_test(
            actor=actor,
            version=step.version,
            customer=customer,
            address=_address(actor, step.channel, phone, email),
            language=language or customer.language,
            with_samples=with_samples,
            slots=step.slots_to_test(),
            branch_id=plan.charged_branch_id(campaign) or customer.home_branch_id,
        )
        for step in plan.channel_steps(campaign)
    ]


def _address(actor: Actor, channel: str, phone: str, email: str) -> str:
    """The address as delivery takes it: the asked one, else the staff member's own.

    Consent, hours and caps do not hold for a test, so that none may go to a customer.
    """
    is_email = channel == Channel.EMAIL
    own = (actor.staff.email if is_email else actor.staff.phone) if actor.staff else ""
    field, asked = ("email", email) if is_email else ("phone", phone)
    if not (asked or own):
        raise ValidationFailed(
            fields={field: [_("Your own address is not known; say where the test should go.")]}
        )
    try:
        address = _normal(asked or own, is_email=is_email)
    except ValueError as error:
        raise ValidationFailed(fields={field: [str(error)]}) from error
    if asked and address not in _addresses_of_staff(actor, is_email=is_email):
        raise ValidationFailed(
            fields={field: [_("Tests go to staff only: nobody in your team has this address.")]}
        )
    return address


def _addresses_of_staff(actor: Actor, *, is_email: bool) -> set[str]:
    known: set[str] = set()
    for staff in testers(actor):
        try:
            known.add(_normal(staff.email if is_email else staff.phone, is_email=is_email))
        except ValueError:
            continue
    return known


def _normal(address: str, *, is_email: bool) -> str:
    """Raises `ValueError` for what is none."""
    if is_email:
        return normalize_email(address)
    return normalize_phone(address, current_tenant().country)
