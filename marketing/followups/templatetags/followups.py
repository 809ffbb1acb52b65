"""Links to a customer, begun in the name of who looks at the page."""

from collections.abc import Mapping
from typing import Any

from django import template

from customers.models import Customer
from marketing.followups import contact

register = template.Library()


@register.filter
def call_link(customer: Customer) -> str:
    """`tel:+919876543210`, empty without a phone."""
    return contact.call_link(customer)


@register.simple_tag(takes_context=True)
def whatsapp_link(context: Mapping[str, Any], customer: Customer) -> str:
    """A WhatsApp chat with a greeting from the page's staff member, empty without a phone."""
    return contact.whatsapp_link(customer, context["staff"], context["tenant"])
