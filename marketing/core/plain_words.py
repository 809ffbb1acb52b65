"""What is said of a value that cannot be taken, with numbers grouped as everywhere: 1,00,000."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import chain
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.core.templatetags.formats import format_number


def limit_text(limit: Any) -> Any:
    """A number with Indian grouping and the places that it has; other limits as they are."""
    if isinstance(limit, bool) or not isinstance(limit, int | float | Decimal):
        return limit
    exact = Decimal(str(limit)).normalize().as_tuple().exponent
    return format_number(limit, max(0, -exact) if isinstance(exact, int) else 0)


def _least(about: Mapping[str, Any]) -> str:
    return _("At least %(limit)s, please.") % {"limit": limit_text(about["limit_value"])}


def _most(about: Mapping[str, Any]) -> str:
    return _("At most %(limit)s, please.") % {"limit": limit_text(about["limit_value"])}


def _places(about: Mapping[str, Any]) -> str:
    return _("At most %(limit)s digits after the point, please.") % {"limit": about["max"]}


def _length(about: Mapping[str, Any]) -> str:
    return _("At most %(limit)s characters, please; these are %(count)s.") % {
        "limit": limit_text(about["limit_value"]),
        "count": limit_text(about["show_value"]),
    }


def _too_long_a_number(about: Mapping[str, Any]) -> str:
    return _("This number is too large.")


SAID: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "min_value": _least,
    "max_value": _most,
    "max_decimal_places": _places,
    "max_length": _length,
    "max_digits": _too_long_a_number,
    "max_whole_digits": _too_long_a_number,
}


MISSING = gettext_lazy("Please fill this in.")
CHOOSE = gettext_lazy("Choose one of the list.")
# The framework's words, where no limit is passed, and ours.
INSTEAD = (
    (forms.Field.default_error_messages["required"], MISSING),
    (Field.default_error_messages["blank"], MISSING),
    (Field.default_error_messages["null"], MISSING),
    (forms.IntegerField.default_error_messages["invalid"], gettext_lazy("A whole number, please.")),
    (forms.DecimalField.default_error_messages["invalid"], gettext_lazy("A number, please.")),
    (forms.DateField.default_error_messages["invalid"], gettext_lazy("A date, please.")),
    (forms.TimeField.default_error_messages["invalid"], gettext_lazy("A time, please.")),
    (forms.ChoiceField.default_error_messages["invalid_choice"], CHOOSE),
    (forms.ModelChoiceField.default_error_messages["invalid_choice"], CHOOSE),
    (forms.ModelMultipleChoiceField.default_error_messages["invalid_choice"], CHOOSE),
)


def say_plainly(error: ValidationError) -> ValidationError:
    """The error in our words."""
    for fault in _leaves(error):
        say = SAID.get(fault.code or "")
        ours = next((ours for theirs, ours in INSTEAD if fault.message == theirs), None)
        if say is not None and fault.params:
            fault.message, fault.params = say(fault.params), None
        elif ours is not None:
            fault.message, fault.params = str(ours), None
    return error


class PlainWords(forms.BaseForm):
    """A form that says it so."""

    def add_error(self, field: Any, error: Any) -> None:
        is_one = isinstance(error, ValidationError)
        super().add_error(field, say_plainly(error if is_one else ValidationError(error)))


def _leaves(error: ValidationError) -> Iterable[ValidationError]:
    by_field = getattr(error, "error_dict", None)
    return error.error_list if by_field is None else chain.from_iterable(by_field.values())
