from django import template

from marketing.delivery.wording import PAUSE_REASONS, REASONS

register = template.Library()


@register.filter
def reason_text(code: str) -> str:
    """A gate reason in plain words; the code itself when it is not ours."""
    return str(REASONS.get(code, code))


@register.filter
def pause_text(code: str) -> str:
    """Why a run is paused, in plain words."""
    return str(PAUSE_REASONS.get(code, code))
