"""The one answer to stop, start and help: in the person's language, never twice within a day."""

import datetime as dt
import uuid
from collections.abc import Sequence

from customers.models import Channel, Customer
from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.core.models import Branch, Tenant
from marketing.core.tenancy import current_tenant
from marketing.delivery.models import InboundMessage
from marketing.delivery.services.single import send_reply
from marketing.delivery.webhooks.answers import answer_to
from marketing.delivery.webhooks.heard import Heard

# As long as WhatsApp lets free text through after what a person wrote.
WINDOW = dt.timedelta(days=1)
# Registered headers are one-way there: nobody can answer an SMS, or be answered by one.
ONE_WAY_SMS = frozenset({"IN"})


def answer(*, case_id: uuid.UUID, heard: Heard, keyword: str, to: Sequence[Customer]) -> bool:
    """Answer unless the vendor did, or we did within a day; whether an answer is on its way.

    Of several people behind one address the first is answered for all.
    """
    now = clock.now()
    tenant = current_tenant()
    if (
        not to
        or heard.is_control
        or heard.said.is_answered
        or heard.said.at < now - WINDOW
        or not _may_answer(heard.account.channel, tenant)
    ):
        return False
    alike = InboundMessage.objects.filter(
        account_id=heard.account.pk, sender=heard.sender[:254], keyword=keyword
    )
    if alike.filter(answered_at__gt=now - WINDOW).exists():
        return False
    person = to[0]
    text = answer_to(keyword, language=person.language, chain=tenant.name, phone=_phone_of(person))
    try:
        send_reply(
            customer=person,
            channel=heard.account.channel,
            account=heard.account,
            address=heard.sender,
            text=text,
        )
    except DomainError:
        return False  # switched off, or the account is stopped
    InboundMessage.objects.filter(pk=case_id).update(answered_at=now)
    return True


def _may_answer(channel: str, tenant: Tenant) -> bool:
    if channel == Channel.SMS:
        return tenant.country not in ONE_WAY_SMS
    return channel == Channel.WHATSAPP


def _phone_of(person: Customer) -> str:
    """Of her own branch, else of the first one that has a phone."""
    branches = Branch.objects.filter(is_active=True).exclude(phone="").order_by("name")
    found = [branch for branch in branches if branch.pk == person.home_branch_id] or branches[:1]
    return found[0].phone if found else ""
