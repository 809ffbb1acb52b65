"""The pre-built templates of a chain."""

from django.db import transaction

from customers.models import Channel
from marketing.content.models import MessageTemplate
from marketing.content.prebuilt import PREBUILT
from marketing.content.selectors import chain_contact
from marketing.content.services.definitions import create_template
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant, current_tenant_id


@transaction.atomic
def ensure_system_templates() -> int:
    """Make the pre-built templates that the open tenant lacks; returns how many.

    They come in those of the chain's languages that they are written in, on a channel only where
    its first one is among them. What is there is left as it is. WhatsApp ones still have to be
    handed in.
    """
    languages = current_tenant().languages
    actor = Actor.system(current_tenant_id())
    known = set(MessageTemplate.objects.filter(is_system=True).values_list("name", "channel"))
    missing = [
        (prebuilt, channel)
        for channel in Channel.values
        for prebuilt in PREBUILT
        if (prebuilt.name, channel) not in known and languages[0] in prebuilt.contents(channel)
    ]
    contact = chain_contact()
    for prebuilt, channel in missing:
        contents = prebuilt.contents(channel, contact)
        create_template(
            actor=actor,
            name=prebuilt.name,
            channel=channel,
            template_type=prebuilt.template_type,
            trigger_type=prebuilt.trigger_type,
            category=prebuilt.category,
            contents={code: contents[code] for code in languages if code in contents},
            is_system=True,
        )
    return len(missing)
