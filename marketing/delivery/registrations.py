"""What delivery offers to the apps below it: messages on the customer's page, in the timeline
among what is kept of a person and in the rules of segments, costs beside the segment builder, and
the way to the vendor's template review."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _

from customers import engagement as customer_engagement
from customers import merging, panels, person_data, timeline
from customers.models import Customer
from marketing.content.gateway import register_gateway
from marketing.core.actor import Actor
from marketing.delivery import engagement, merged_people, selectors
from marketing.delivery.connection import prepare_test
from marketing.delivery.content_sent import content_sent
from marketing.delivery.counted_messages import MESSAGES
from marketing.delivery.links import person_data as links
from marketing.delivery.models import Message, SendRun
from marketing.delivery.reach import reach_panel
from marketing.delivery.template_review import submit_template
from marketing.delivery.webhooks import people
from marketing.delivery.webhooks.addresses import forget_account
from marketing.policy.connection import register_test
from marketing.policy.models import ProviderAccount
from marketing.segments import panels as audience_panels
from marketing.segments.behaviours import register as register_behaviour

PAGE = 50
PANEL_ROWS = 20
TYPES = {SendRun.Kind.TEST: "transactional"}


def register() -> None:
    """Called once, while apps are loaded."""
    panels.register(_("Messages"), "delivery/_customer_messages.html", newest_messages)
    audience_panels.register(_("What it costs to reach them"), "delivery/_reach.html", reach_panel)
    timeline.register_source("messages", messages_in_timeline)
    person_data.register(person_data.Holding("messages", export_messages, erase_messages))
    person_data.register(
        person_data.Holding("engagement", links.export_engagement, links.erase_engagement)
    )
    timeline.register_source("inbound", people.inbound_in_timeline)
    person_data.register(
        person_data.Holding("inbound", people.export_inbound, people.erase_inbound)
    )
    register_behaviour(MESSAGES)
    customer_engagement.register(engagement.READ_MESSAGES)
    merging.register(
        merging.Holding(
            "delivery.Message", merged_people.move_messages, merged_people.restore_messages
        )
    )
    merging.register_rows("delivery.Engagement")
    merging.register(
        merging.Holding("delivery.ContactLoad", merged_people.move_load, merged_people.restore_load)
    )
    register_gateway(submit_template)
    register_test(prepare_test)
    post_save.connect(forget_account, sender=ProviderAccount)


def newest_messages(actor: Actor, customer: Customer) -> dict[str, Any]:
    """The card on the customer's page."""
    return {"messages": list(selectors.messages_of_customer(customer)[:PANEL_ROWS])}


def messages_in_timeline(customer: Customer, actor: Actor) -> Iterator[timeline.TimelineEntry]:
    """The customer's messages, newest first, read a page at a time."""
    before = uuid.UUID(int=2**128 - 1)
    messages = selectors.messages_of_customer(customer)
    more = True
    while more:
        rows = list(messages.filter(pk__lt=before)[:PAGE])
        yield from map(_entry, rows)
        if more := len(rows) == PAGE:
            before = rows[-1].pk


def export_messages(customer: Customer) -> list[dict[str, str]]:
    """Every message to the person, oldest first, as it was sent."""
    return [
        {
            "channel": message.channel,
            "to": message.address,
            "state": message.state,
            "text": content_sent(message).body,
            "at": message.created_at.isoformat(),
        }
        for message in selectors.messages_of_customer(customer).order_by("pk").iterator(PAGE)
    ]


def erase_messages(customer: Customer) -> None:
    """Keep that there were messages, not to which address or with which words.

    What still waits has no address then, and is skipped.
    """
    Message.objects.filter(customer=customer).update(address="", variables={}, error_detail="")


def _entry(message: Message) -> timeline.TimelineEntry:
    return timeline.TimelineEntry(
        id=message.pk,
        at=message.created_at,
        type=TYPES.get(SendRun.Kind(message.kind), message.kind),
        title=(
            message.template_version.template.name
            if message.template_version
            else _("Answer: %(text)s") % {"text": content_sent(message).body}
        ),
        channel=message.channel,
        status=message.state,
    )
