"""The rows of the template editor in which an author says what branches fill in."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketing.content.slots import KINDS, LONGEST, MOST, TEXT

FREE_ROWS = 2
# The wire's names, and the inputs'.
PARTS = {
    "label": "label",
    "name": "name",
    "kind": "kind",
    "max_length": "maxLength",
    "example": "example",
}


class SlotRows:
    """The inputs `slot-<row>-<part>` of a form, as the service takes them.

    `names_of` is the input that an error's path, such as `slots.0.maxLength`, is about: rows that
    were left empty do not count among the slots.
    """

    def __init__(self, form: forms.Form, saved: Sequence[Mapping[str, Any]]) -> None:
        self.form = form
        self._rows: list[int] = []
        sent = sum(f"slot-{row}-name" in form.data for row in range(MOST)) if form.is_bound else 0
        self.count = min(max(len(saved) + FREE_ROWS, sent), MOST)
        for row in range(self.count):
            for part, field in _fields(row).items():
                form.fields[f"slot-{row}-{part}"] = field
        for row, slot in enumerate(saved):
            form.initial.update({f"slot-{row}-{part}": slot[part] for part in PARTS})

    @property
    def slots(self) -> list[dict[str, Any]]:
        """The rows that say something, as they were typed."""
        found = []
        self._rows = []
        for row in range(self.count):
            typed = {
                part: str(self.form.data.get(f"slot-{row}-{part}", "")).strip() for part in PARTS
            }
            if not (typed["name"] or typed["label"] or typed["example"]):
                continue
            self._rows.append(row)
            length = typed["max_length"]
            found.append(
                {**typed, "max_length": int(length) if length.isdecimal() else length or None}
            )
        return found

    def name_of(self, number: str, part: str) -> str:
        """The input of the slot with this number."""
        part = next((own for own, wire in PARTS.items() if wire == part), part)
        row = self._rows[int(number)] if int(number) < len(self._rows) else number
        return f"slot-{row}-{part}"

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        """Bound, as the page lays them out."""
        return [[self.form[f"slot-{row}-{part}"] for part in PARTS] for row in range(self.count)]

    @property
    def is_open(self) -> bool:
        """Whether something was entered, or is wrong."""
        return any(
            field.errors or (field.value() and field.name.endswith(("-name", "-label")))
            for row in self.rows
            for field in row
        )


def _fields(row: int) -> dict[str, forms.Field]:
    return {
        "label": forms.CharField(
            label=_("What the branch is asked for"),
            required=False,
            widget=forms.TextInput({"placeholder": _("The offer")}),
        ),
        "name": forms.CharField(
            label=_("Name in the message"),
            required=False,
            help_text=_("For “offer” write {{ slot_offer }} where it stands.") if not row else "",
            widget=forms.TextInput({"placeholder": "offer", "autocapitalize": "none"}),
        ),
        "kind": forms.ChoiceField(
            label=_("Kind"), choices=list(KINDS.items()), required=False, initial=TEXT
        ),
        "max_length": forms.IntegerField(
            label=_("Longest, in characters"),
            required=False,
            min_value=1,
            max_value=max(LONGEST.values()),
        ),
        "example": forms.CharField(label=_("Example"), required=False),
    }
