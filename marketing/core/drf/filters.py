"""Filters of lists that refuse what they cannot read: django-filter's own would leave it out."""

from typing import Any

import django_filters
from django import forms
from django.core.validators import EMPTY_VALUES
from django.utils.translation import gettext as _

_SAID = {"true": True, "1": True, "false": False, "0": False}


class FlagField(forms.Field):
    """`true` or `false` of a query string, None where nothing is said."""

    def to_python(self, value: Any) -> bool | None:
        if value in EMPTY_VALUES:
            return None
        found = _SAID.get(str(value).lower())
        if found is None:
            raise forms.ValidationError(_("Say true or false."))
        return found


class FlagFilter(django_filters.BooleanFilter):
    """Raises `ValidationError` for `maybe`, which a `BooleanFilter` takes for nothing said."""

    field_class = FlagField
