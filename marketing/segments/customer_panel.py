"""The card on a customer's page: the segments that hold her now."""

from typing import Any

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.segments.explanation import segments_of


def segments_now(actor: Actor, customer: Customer) -> dict[str, Any]:
    """The segments visible to the actor that the customer is in."""
    return {"segments": segments_of(actor, customer, now=clock.now())}
