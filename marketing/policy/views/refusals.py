"""What a service refuses, said at the field of the form it came from."""

from collections.abc import Callable
from itertools import chain

from django.forms import BaseForm

from marketing.core.errors import DomainError


def in_words(error: DomainError) -> str:
    """A refusal as one text, for where no form is shown."""
    return " ".join(chain.from_iterable(error.fields.values())) or error.message


def accepted(form: BaseForm, work: Callable[[], object]) -> bool:
    """Whether the form is valid and the service took it; if not, the form says why."""
    if not form.is_valid():
        return False
    try:
        work()
    except DomainError as error:
        for name, faults in error.fields.items():
            for fault in faults:
                form.add_error(name if name in form.fields else None, fault)
        if not error.fields:
            form.add_error(None, error.message)
        return False
    return True
