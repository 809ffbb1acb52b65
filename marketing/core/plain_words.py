"""What a form says of a value that is out of bounds, with numbers grouped as everywhere."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from marketing.core.templatetags.formats import format_number


def _number(value: Any) -> str:
    if not isinstance(value, int | Decimal):
        return str(value)
    places = max(0, -int(Decimal(value).normalize().as_tuple().exponent))
    return format_number(value, places)


def _least(about: Mapping[str, Any]) -> str:
    return _("At least %(limit)s, please.") % {"limit": _number(about["limit_value"])}


def _most(about: Mapping[str, Any]) -> str:
    return _("At most %(limit)s, please.") % {"limit": _number(about["limit_value"])}


def _places(about: Mapping[str, Any]) -> str:
    return _("At most %(limit)s digits after the point, please.") % {"limit": about["max"]}


def _length(about: Mapping[str, Any]) -> str:
    return _("At most %(limit)s characters, please; these are %(count)s.") % {
        "limit": _number(about["limit_value"]),
        "count": _number(about["show_value"]),
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


class PlainWords(forms.BaseForm):
    """A form that says it so."""

    def add_error(self, field: Any, error: Any) -> None:
        for fault in _faults(error):
            say = SAID.get(fault.code or "")
            if say is not None and fault.params:
                fault.message, fault.params = say(fault.params), None
        super().add_error(field, error)


def _faults(error: Any) -> list[ValidationError]:
    if not isinstance(error, ValidationError):
        return []
    if hasattr(error, "error_dict"):
        return [fault for faults in error.error_dict.values() for fault in faults]
    return list(error.error_list)
