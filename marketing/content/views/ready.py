"""The ready-made messages of a channel, each as a phone shows it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from customers.models import Channel
from marketing.content.errors import HeadOfficeWrites
from marketing.content.forms import language_name
from marketing.content.models import TemplateType, TriggerType
from marketing.content.prebuilt import PREBUILT, Contact, Occasion
from marketing.content.preview import preview
from marketing.content.selectors import chain_contact, may_write_templates
from marketing.content.views.errand import onwards
from marketing.core.errors import NotFound
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.tenancy import current_tenant
from marketing.policy.rules import purpose_of

TYPES = dict(TemplateType.choices)
TRIGGERS = dict(TriggerType.choices)


@staff_view("template.manage")
@require_safe
def template_ready(request: StaffRequest) -> HttpResponse:
    """To choose from: `?channel=`, and in which of the chain's languages to show them."""
    if not may_write_templates(request.actor):
        raise HeadOfficeWrites()
    channel = request.GET.get("channel", "")
    if channel not in Channel.values:
        raise NotFound()
    codes = [code for code in current_tenant().languages if code in PREBUILT[0].contents(channel)]
    asked = request.GET.get("language", "")
    language = asked if asked in codes else next(iter(codes), "")
    contact = chain_contact()
    return render(
        request,
        "content/ready.html",
        {
            "channel": channel,
            "channel_label": Channel(channel).label,
            "channels": [
                _tab(request, label, channel=value, language=language, active=value == channel)
                for value, label in Channel.choices
            ],
            "languages": [
                _tab(
                    request,
                    language_name(code),
                    channel=channel,
                    language=code,
                    active=code == language,
                )
                for code in codes
            ],
            "language": language,
            "onwards": onwards(request, channel=channel),
            "messages_ready": [
                _shown(each, channel, language, contact) for each in PREBUILT if codes
            ],
        },
    )


def _tab(
    request: StaffRequest, label: Any, *, channel: str, language: str, active: bool
) -> dict[str, Any]:
    address = onwards(request, channel=channel, language=language)
    return {"label": label, "url": address, "active": active}


def _shown(occasion: Occasion, channel: str, language: str, contact: Contact) -> dict[str, Any]:
    seen = preview(
        channel,
        {language: occasion.contents(channel, contact)[language]},
        languages=[language],
        language=language,
        purpose=purpose_of(occasion.template_type, occasion.trigger_type),
    )
    return {
        "key": occasion.key,
        "name": occasion.name,
        "kind": TRIGGERS.get(occasion.trigger_type) or TYPES[occasion.template_type],
        "seen": seen,
        "button_texts": [button.text for button in seen.rendered.buttons],
    }
