"""What people write to each other about a campaign."""

from django.utils.translation import gettext as _

from marketing.core.errors import ValidationFailed

LONGEST = 2000


def require_words(text: str, field: str, missing: str) -> str:
    """The text without blank ends. Raises `ValidationFailed` at `field` when it is empty, longer
    than 2000 characters, or holds what cannot be stored."""
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise ValidationFailed(fields={field: [missing]})
    if len(said) > LONGEST:
        reason = _("At most %(most)s characters; these are %(count)s.")
        raise ValidationFailed(fields={field: [reason % {"most": LONGEST, "count": len(said)}]})
    if "\x00" in said:
        raise ValidationFailed(fields={field: [_("This holds a character that is no text.")]})
    return said
