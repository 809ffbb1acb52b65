"""How customers' data is written for people."""

import phonenumbers
from django import template
from django.utils.translation import get_language_info
from phonenumbers import PhoneNumberFormat

from customers.models import CustomerFacts, DuplicatePair
from customers.timeline import TimelineEntry

register = template.Library()

Stage = CustomerFacts.Stage


@register.filter
def phone(number: str) -> str:
    """`+919876543210` as `+91 98765 43210`."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


@register.filter
def language_name(code: str) -> str:
    """`hi` as `हिन्दी`."""
    try:
        return str(get_language_info(code)["name_local"])
    except KeyError:
        return code


@register.filter
def duplicate_reason(code: str) -> str:
    """Why two customers may be one person, in words."""
    return str(DuplicatePair.Reason(code).label)


TIMELINE_ICONS = {
    "visit": "scissors",
    "consent": "shield-check",
    "campaign": "speakerphone",
    "trigger": "bolt",
    "transactional": "receipt",
    "inbound": "message-circle",
    "feedback": "star",
    "coupon": "ticket",
    "points": "award",
}
TIMELINE_TONES = {"visit": "success", "inbound": "info", "campaign": "primary"}


@register.filter
def timeline_icon(entry: TimelineEntry) -> str:
    """The icon of an entry's type."""
    return TIMELINE_ICONS.get(entry.type, "circle-dot")


@register.filter
def timeline_tone(entry: TimelineEntry) -> str:
    """Its tone; a consent that ended warns."""
    if entry.type == "consent":
        return "warning" if entry.status in ("withdrawn", "opted_out", "dnd_set") else "info"
    return TIMELINE_TONES.get(entry.type, "neutral")


STAGE_TONES = {
    Stage.NEW: "info",
    Stage.ACTIVE: "success",
    Stage.ENGAGED: "success",
    Stage.REACTIVATED: "success",
    Stage.AT_RISK: "warning",
    Stage.CHURNED: "danger",
}


@register.filter
def stage_tone(stage: str) -> str:
    """The tone of a life-cycle stage."""
    return STAGE_TONES.get(Stage(stage), "neutral")
