"""Limits that a value has passed, told as all numbers are: 1,00,000."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import chain
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from marketing.core.templatetags.formats import format_number

_CODES = ("min_value", "max_value")


def limit_text(limit: Any) -> Any:
    """A number with Indian grouping and the places that it has; other limits as they are."""
    if isinstance(limit, bool) or not isinstance(limit, int | float | Decimal):
        return limit
    exact = Decimal(str(limit)).normalize().as_tuple().exponent
    return format_number(limit, max(0, -exact) if isinstance(exact, int) else 0)


def group_limits(error: ValidationError) -> ValidationError:
    """The error, its numbers' limits grouped."""
    for leaf in _leaves(error):
        if leaf.code in _CODES and leaf.params and "limit_value" in leaf.params:
            params = {**leaf.params, "limit_value": limit_text(leaf.params["limit_value"])}
            leaf.params = params
    return error


def _leaves(error: ValidationError) -> Iterable[ValidationError]:
    by_field = getattr(error, "error_dict", None)
    return error.error_list if by_field is None else chain.from_iterable(by_field.values())


class GroupedLimits(forms.BaseForm):
    """A form that tells limits so."""

    def add_error(self, field: str | None, error: Any) -> None:
        is_one = isinstance(error, ValidationError)
        super().add_error(field, group_limits(error if is_one else ValidationError(error)))
