"""What the phone beside the editor shows, and what is said under it."""

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from customers.models import Customer
from customers.selectors import search_customers
from marketing.content import merge_fields
from marketing.content.contents import Contents, clean_contents
from marketing.content.forms import TemplateForm, language_name
from marketing.content.links import short_links_at
from marketing.content.preview import preview
from marketing.content.slots import Slot, clean_declarations
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import NoExchangeRate, ValidationFailed
from marketing.core.tenancy import current_tenant
from marketing.policy.rules import message_category, purpose_of
from marketing.policy.selectors import day_of, default_account, message_price

MATCHES = 5
DEFAULT_EXAMPLE = '{{ customer_name | default: "dear guest" }}'


def panel_of_form(actor: Actor, form: TemplateForm, template_type: str) -> dict[str, Any]:
    """The panel for what stands in the form now, right or wrong."""
    asked = form.data
    language = asked.get("language", "")
    contents = form.contents
    if language not in contents:
        language = form.languages[0]
    if not contents[language]:
        return {"is_empty": True}
    slots, faults = clean_declarations(form.slots)
    if faults:
        return {
            "faults": [reason for found in faults.values() for reason in found],
            "channel": form.channel,
            "language": language,
        }
    # One language is shown: what only the others say is not missing in it.
    typed = str(contents[language])
    slots = [slot for slot in slots if slot.placeholder in typed]
    try:
        cleaned = clean_contents(
            form.channel,
            {language: contents[language]},
            languages=[language],
            country=current_tenant().country,
            short_links_at=short_links_at(form.channel),
            slots=slots,
        )
    except ValidationFailed as error:
        reasons = [reason for found in error.fields.values() for reason in found]
        return {"faults": reasons, "channel": form.channel, "language": language}
    return panel(
        actor,
        form.channel,
        cleaned,
        language=language,
        asked=asked,
        purpose=purpose_of(template_type, asked.get("trigger_type", "")),
        slots=slots,
    )


def panel(
    actor: Actor,
    channel: str,
    contents: Contents,
    *,
    language: str,
    asked: Mapping[str, Any],
    purpose: str,
    category: str = "",
    slots: Sequence[Slot] = (),
) -> dict[str, Any]:
    """What `content/_preview.html` needs; `asked` may name a customer to fill in.

    It costs what the vendor charges for `category`, by the purpose where that is not known.
    """
    tenant = current_tenant()
    is_stranger = bool(asked.get("preview_stranger"))
    people = [] if is_stranger else _people(actor, asked.get("preview_query", ""))
    customer = _chosen(people, asked.get("preview_customer", ""))
    seen = preview(
        channel,
        contents,
        languages=tenant.languages,
        language=language,
        customer=customer,
        is_stranger=is_stranger,
        purpose=purpose,
        slots=slots,
    )
    price = _price(channel, tenant.country, category or message_category(purpose))
    return {
        "channel": channel,
        "language": seen.rendered.language,
        "language_name": language_name(seen.rendered.language),
        "seen": seen,
        "html": seen.rendered.page_html,
        "button_texts": [button.text for button in seen.rendered.buttons],
        "missing": [merge_fields.label(name) for name in seen.missing],
        "example": f'{{{{ {seen.missing[0]} | default: "…" }}}}' if seen.missing else "",
        "people": people,
        "customer": customer,
        "is_nobody": bool(asked.get("preview_query")) and not people and not is_stranger,
        "price": price * (seen.sms.segments if seen.sms else 1) if price else None,
        "sender": tenant.name,
    }


def _people(actor: Actor, query: str) -> list[Customer]:
    return list(search_customers(actor, query)[:MATCHES])


def _chosen(people: list[Customer], wanted: str) -> Customer | None:
    try:
        wanted_id = uuid.UUID(wanted)
    except ValueError:
        wanted_id = None
    return next((each for each in people if each.pk == wanted_id), people[0] if people else None)


def _price(channel: str, country: str, category: str) -> Decimal | None:
    """Of one message, or one SMS segment; None while no provider or no exchange rate is known."""
    account = default_account(channel)
    if account is None:
        return None
    try:
        return message_price(
            provider=account.provider,
            channel=channel,
            country=country,
            category=category,
            on=day_of(clock.now()),
        )
    except NoExchangeRate:
        return None
