"""What people write back: stop words opt out at once, everything lands in the timeline."""

import uuid

from django.db.models import Q

from customers import services as customers
from customers.models import Customer
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.models import WebhookKey
from marketing.delivery.providers.base import Inbound

# The whole message, trimmed and case-folded (WhatsApp Business policy; TCPA's list of words).
STOP_WORDS = frozenset(
    [
        "stop",
        "stopall",
        "unsubscribe",
        "end",
        "quit",
        "cancel",
        "revoke",
        "optout",
        "बंद",
        "बन्द",
        "रोको",
        "स्टॉप",
        "বন্ধ",
        "স্টপ",
    ]
)
CHANNEL = {"meta": "whatsapp", "msg91": "sms", "sendgrid": "email"}


def take(*, account_id: uuid.UUID, provider: str, said: Inbound) -> None:
    """Note what was said once, however often the vendor repeats it, and honour a stop."""
    _, is_new = WebhookKey.objects.get_or_create(account_id=account_id, key=said.key[:255])
    if not is_new:
        return
    column = "email" if provider == "sendgrid" else "phone"
    people = list(
        Customer.objects.filter(Q(**{column: said.address}) | Q(whatsapp_id=said.address))
        .exclude(status=Customer.Status.ERASED)
        .order_by("pk")
    )
    actor = Actor.system(current_tenant_id())
    wants_out = said.opt_out or said.text.strip().casefold() in STOP_WORDS
    if said.text:
        customers.record_events(
            actor=actor,
            events=[
                {
                    "id": f"{provider}:{said.key}:{person.pk}",
                    "name": "message.inbound",
                    "customer": person,
                    "occurred_at": said.at,
                    "properties": {"channel": CHANNEL[provider], "text": said.text[:2000]},
                }
                for person in people
            ],
        )
    if wants_out:
        # Families share a phone: everyone behind the address has said stop.
        for person in people:
            customers.opt_out(actor=actor, customer=person, source="customer_request")
