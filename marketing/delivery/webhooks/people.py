"""What people wrote, on their own pages and among what is kept of them."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from customers.models import Channel, Customer, CustomerEvent
from customers.timeline import TimelineEntry
from marketing.core.actor import Actor
from marketing.delivery.models import InboundMessage
from marketing.delivery.webhooks.inbound import EVENT

CHUNK = 50


def inbound_in_timeline(customer: Customer, actor: Actor) -> Iterator[TimelineEntry]:
    """What she wrote; where others share her phone, who else it may have been."""
    rows = CustomerEvent.objects.filter(customer=customer, name=EVENT)
    names: dict[str, str] = {}
    for event in rows.order_by("-occurred_at", "-id").iterator(chunk_size=CHUNK):
        said = event.properties
        if not said:
            continue  # erased
        shared = said.get("sharedWith", [])
        if missing := [pk for pk in shared if pk not in names]:
            others = Customer.objects.filter(pk__in=missing)
            names |= dict.fromkeys(missing, "") | {str(one.pk): one.name for one in others}
        by = " / ".join(filter(None, [customer.name, *(names[pk] for pk in shared)]))
        yield TimelineEntry(
            id=event.pk,
            at=event.occurred_at,
            type="inbound",
            title=_("%(channel)s: “%(text)s”")
            % {"channel": Channel(said["channel"]).label, "text": said["text"]},
            channel=said["channel"],
            by=by if shared else "",
        )


def export_inbound(customer: Customer) -> list[dict[str, str]]:
    """When her addresses were used to write or to ask; the words stand among her events."""
    return [
        {"channel": row.channel, "keyword": row.keyword, "at": row.said_at.isoformat()}
        for row in InboundMessage.objects.filter(sender__in=_senders(customer)).order_by("pk")
    ]


def erase_inbound(customer: Customer) -> None:
    """Keep that something was said, so that it is not taken in again, not by whom."""
    InboundMessage.objects.filter(sender__in=_senders(customer)).update(sender="", text="")


def _senders(customer: Customer) -> list[str]:
    known = {customer.phone, customer.email, customer.whatsapp_id}
    known |= set(customer.contact_points.values_list("value", flat=True))
    return [address for address in known if address]
