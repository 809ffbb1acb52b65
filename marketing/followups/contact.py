"""Ways to a customer that a thumb can take: her phone, and a chat that is begun for one."""

from urllib.parse import quote

from django.utils import translation
from django.utils.translation import gettext as _

from customers.models import Customer
from marketing.core.models import Staff, Tenant


def call_link(customer: Customer) -> str:
    """A `tel:` address, empty without a phone."""
    return f"tel:{customer.phone}" if customer.phone else ""


def whatsapp_link(customer: Customer, staff: Staff, tenant: Tenant) -> str:
    """A chat with the customer in WhatsApp, a greeting already typed; empty without a phone.

    The greeting is in the customer's language where Parlour speaks it, and offers nothing: what
    follows is the staff member's own to say.
    """
    number = customer.phone.removeprefix("+")
    return (
        f"https://wa.me/{number}?text={quote(greeting(customer, staff, tenant))}" if number else ""
    )


def greeting(customer: Customer, staff: Staff, tenant: Tenant) -> str:
    """The opening line of a chat."""
    names = {"customer": customer.first_name, "staff": staff.name, "salon": tenant.name}
    with translation.override(customer.language):
        return _("Hello %(customer)s, this is %(staff)s of %(salon)s. How are you?") % names
