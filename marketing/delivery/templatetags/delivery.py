from django import template

from marketing.delivery.wording import REASONS

register = template.Library()


@register.filter
def reason_text(code: str) -> str:
    """A gate reason in plain words; the code itself when it is not ours."""
    return str(REASONS.get(code, code))
