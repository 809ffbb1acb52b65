"""What delivery offers to the apps below it: a card and a timeline of messages, a gateway."""

import uuid
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from customers import panels, timeline
from customers.models import Customer
from marketing.content.gateway import register_gateway
from marketing.core.actor import Actor
from marketing.delivery import selectors
from marketing.delivery.models import Message, SendRun
from marketing.delivery.template_review import submit_template

PAGE = 50
TYPES = {SendRun.Kind.TEST: "transactional"}


def register() -> None:
    """Called once, while apps are loaded."""
    panels.register(_("Messages"), "customer-messages")
    timeline.register_source("messages", messages_in_timeline)
    register_gateway(submit_template)


def messages_in_timeline(customer: Customer, actor: Actor) -> Iterator[timeline.TimelineEntry]:
    """The customer's messages, newest first, read a page at a time."""
    before = uuid.UUID(int=2**128 - 1)
    while rows := list(selectors.messages_of_customer(customer).filter(pk__lt=before)[:PAGE]):
        yield from map(_entry, rows)
        before = rows[-1].pk


def _entry(message: Message) -> timeline.TimelineEntry:
    return timeline.TimelineEntry(
        id=message.pk,
        at=message.created_at,
        type=TYPES.get(SendRun.Kind(message.kind), message.kind),
        title=message.template_version.template.name,
        channel=message.channel,
        status=message.state,
    )
