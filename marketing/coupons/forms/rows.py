"""Fields that stand in rows: tiers, parts of a bundle, hours, days off. Numbered from 0."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketing.coupons.pricing.terms import Weekday
from marketing.coupons.wording.amounts import weekday_names

# At least so many rows are shown; one more than is filled in, up to the most.
SHOWN = {"tier": 3, "part": 3, "hours": 1, "off": 1}
# As many as the API takes: an offer that it made is shown whole.
MOST = {"tier": 20, "part": 20, "hours": 50, "off": 100}
_ROW = re.compile(r"(tier|part|hours|off)_(\d{1,2})_\w+")


def rows_in(names: Mapping[str, Any]) -> dict[str, int]:
    """How many rows of each kind to show for these values."""
    filled = dict.fromkeys(SHOWN, 0)
    for name, value in names.items():
        found = _ROW.fullmatch(name)
        if found and value not in (None, "", []):
            kind, place = found[1], int(found[2])
            filled[kind] = max(filled[kind], place + 1)
    return {kind: min(MOST[kind], max(SHOWN[kind], filled[kind] + 1)) for kind in SHOWN}


def date_input() -> forms.DateInput:
    return forms.DateInput({"type": "date"}, "%Y-%m-%d")


def time_input() -> forms.TimeInput:
    return forms.TimeInput({"type": "time"}, "%H:%M")


def rupees_field(label: Any, **more: Any) -> forms.DecimalField:
    most = {"max_digits": 10, "decimal_places": 2}
    return forms.DecimalField(label=label, required=False, min_value=0, **{**most, **more})


def count_field(label: Any, *, least: int = 1, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=least, max_value=2_000_000_000, **more
    )


def row_fields(kind: str, place: int, chosen: Mapping[str, forms.Field]) -> dict[str, forms.Field]:
    """The fields of one row, by name; `chosen` are those of a bundle's part."""
    if kind == "tier":
        return {
            f"tier_{place}_from": rupees_field(_("From ₹")),
            f"tier_{place}_give": rupees_field(_("Give")),
        }
    if kind == "part":
        return {
            **chosen,
            f"part_{place}_quantity": count_field(
                _("How many"),
                help_text=_("With nothing chosen: of any service."),
                widget=forms.NumberInput({"placeholder": 1}),
            ),
        }
    if kind == "hours":
        return {
            f"hours_{place}_days": forms.MultipleChoiceField(
                label=_("Weekdays"),
                required=False,
                choices=[(day.name.lower(), name) for day, name in weekday_names().items()],
                widget=forms.CheckboxSelectMultiple,
            ),
            f"hours_{place}_from": forms.TimeField(
                label=_("From"), required=False, widget=time_input()
            ),
            f"hours_{place}_until": forms.TimeField(
                label=_("To"), required=False, widget=time_input()
            ),
        }
    return {
        f"off_{place}_from": forms.DateField(
            label=_("Not from"), required=False, widget=date_input()
        ),
        f"off_{place}_until": forms.DateField(
            label=_("Not until"), required=False, widget=date_input()
        ),
    }


def days_of(values: Mapping[str, Any], name: str) -> list[str]:
    """The weekdays chosen, in their order; all of them is none."""
    chosen = set(values.get(name) or ())
    if len(chosen) == len(Weekday):
        return []
    return [day.name.lower() for day in Weekday if day.name.lower() in chosen]
