"""What delivery offers to the apps below it."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from customers import panels, timeline
from customers.models import Customer
from marketing.core.actor import Actor


def register() -> None:
    panels.register(_("Messages"), "customer-messages")


def timeline_of(customer: Customer, actor: Actor) -> Iterable[timeline.TimelineEntry]:
    return []
