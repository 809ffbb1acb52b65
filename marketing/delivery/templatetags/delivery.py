from django import template

from marketing.delivery import wording
from marketing.delivery.models import Message
from marketing.delivery.selectors import Cause
from marketing.policy.models import Provider

register = template.Library()


@register.filter
def reason_text(code: str) -> str:
    """A gate reason in plain words; the code itself when it is not ours."""
    return str(wording.reason(code))


@register.filter
def cause_source(cause: Cause) -> str:
    """Who says so and how: the vendor's name, its code, its words about one of the messages."""
    known = cause.provider in Provider.values
    name = Provider(cause.provider).label if known else "Parlour"
    return " · ".join(filter(None, [name, cause.code, cause.detail and f"“{cause.detail}”"]))


@register.filter
def cause_text(cause: Cause) -> str:
    """Why these messages failed or are unknown, in plain words."""
    return str(wording.cause(cause.code, cause.error_class))


@register.filter
def why(message: Message) -> str:
    """Why a message is where it is, in plain words; empty when nothing went wrong."""
    return wording.why(message)


WEBHOOK_TONES = {"applied": "success", "unknown": "warning", "unreadable": "danger"}


@register.filter
def webhook_tone(state: str) -> str:
    """The tone of a webhook request's state."""
    return WEBHOOK_TONES.get(state, "info")
