"""How a service's refusal reaches the person: at the field, or above the page."""

from django.forms import Form

from marketing.campaigns.forms import FIELD_OF
from marketing.core.errors import DomainError


def show_at_fields(form: Form, error: DomainError) -> None:
    """Put each reason beside the input it is about, the rest above the form."""
    shown = False
    for field, reasons in error.fields.items():
        name = FIELD_OF.get(field, field)
        for reason in reasons:
            form.add_error(name if name in form.fields else None, reason)
            shown = True
    if not shown:
        form.add_error(None, error.message)
