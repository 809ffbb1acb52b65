"""What the page of festivals asks for."""

import datetime as dt
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from marketing.core.plain_words import PlainWords


def _day_field(**options: Any) -> forms.DateField:
    """A day of this century, as far as the pages of festivals go."""
    return forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[
            MinValueValidator(dt.date(2000, 1, 1)),
            MaxValueValidator(dt.date(2099, 12, 31)),
        ],
        **options,
    )


class DayForm(PlainWords, forms.Form):
    day = _day_field()


class FestivalForm(PlainWords, forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("For example: Our anniversary sale")
    )
    name_hi = forms.CharField(label=_("Name in Hindi"), max_length=60, required=False)
    day = _day_field(label=_("Day"))
    is_yearly = forms.BooleanField(
        label=_("Every year on this day"),
        required=False,
        widget=forms.CheckboxInput(attrs={"role": "switch"}),
    )
