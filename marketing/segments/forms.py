"""Input of the segment pages, beside the rules themselves (`builder/`)."""

import csv
import io
import uuid
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketing.core.actor import Actor
from marketing.core.errors import DomainError, ValidationFailed
from marketing.core.plain_words import PlainWords
from marketing.core.selectors import branches_for_actor
from marketing.segments.selectors import PhoneMatch
from marketing.segments.services import MAX_MEMBERS

MAX_FILE_BYTES = 1_000_000
# Of the lines that nobody was found for, so many are shown, each cut at so many characters.
LINES_SHOWN, LINE_LENGTH = 5, 40
# Where a service's complaint is shown.
_PLACES = {"branchIds": "branch_ids", "customerIds": "phones"}


class SegmentForm(PlainWords, forms.Form):
    """Name, description and branches of a segment."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    branch_ids = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Branches"),
        required=False,
        coerce=uuid.UUID,
        help_text=gettext_lazy("Leave empty for all branches that are yours."),
        widget=forms.SelectMultiple(attrs={"data-searchable": True}),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        branches = branches_for_actor(actor).values_list("pk", "name")
        field = cast(forms.TypedMultipleChoiceField, self.fields["branch_ids"])
        field.choices = [(str(pk), name) for pk, name in branches]

    def clean_branch_ids(self) -> list[uuid.UUID] | None:
        return self.cleaned_data["branch_ids"] or None

    def values(self) -> dict[str, Any]:
        """What services take."""
        return {name: self.cleaned_data[name] for name in ("name", "description", "branch_ids")}

    def take_errors(self, error: DomainError) -> None:
        """Show a refusal at its fields; what belongs to no field of the form goes on top."""
        placed = False
        for path, messages in error.fields.items():
            name = _PLACES.get(path.split(".")[0], path)
            if name in self.fields:
                placed = True
                for message in messages:
                    self.add_error(name, message)
        if not placed:
            self.add_error(None, error.message)


class ListForm(SegmentForm):
    """A static segment from phones, typed or uploaded."""

    phones = forms.CharField(
        label=gettext_lazy("Phone numbers"),
        required=False,
        help_text=gettext_lazy("One a line. Numbers without a country code are of your country."),
        widget=forms.Textarea(attrs={"rows": 6, "inputmode": "tel"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a CSV file"),
        required=False,
        help_text=gettext_lazy("Its first column holds the numbers; at most 10,000."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    field_order = ["name", "description", "phones", "file", "branch_ids"]

    def clean_file(self) -> list[str]:
        upload: UploadedFile | None = self.cleaned_data["file"]
        if upload is None:
            return []
        if (upload.size or 0) > MAX_FILE_BYTES:
            raise forms.ValidationError(_("The file is larger than 1 MB."))
        try:
            text = upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError(_("Save the file as CSV in UTF-8 and try again.")) from None
        try:
            rows = [row[0].strip() for row in csv.reader(io.StringIO(text)) if row]
        except csv.Error:
            raise forms.ValidationError(_("This is not a CSV file.")) from None
        cells = [cell for cell in rows if cell]
        has_heading = bool(cells) and not any(letter.isdigit() for letter in cells[0])
        numbers = cells[has_heading:]
        if not numbers:
            raise forms.ValidationError(_("No phone number stands in its first column."))
        return numbers

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        lines = cleaned.get("phones", "").splitlines()
        self.typed = [line.strip() for line in lines if line.strip()]
        self.uploaded = cleaned.get("file", [])
        if len(self.numbers) > MAX_MEMBERS:
            message = _("At most %(max)d numbers.") % {"max": MAX_MEMBERS}
            self.add_error("phones", message)
        return cleaned

    @property
    def numbers(self) -> list[str]:
        return [*self.typed, *self.uploaded]

    def require_somebody(self, match: PhoneMatch) -> None:
        """Raises `ValidationFailed` with what is wrong with the lines of each field."""
        if match.customer_ids or not self.numbers:
            return
        fields = {
            name: on_left_out(
                [text for text in match.malformed if text in given],
                [text for text in match.unknown if text in given],
            )
            for name, given in (("phones", set(self.typed)), ("file", set(self.uploaded)))
        }
        raise ValidationFailed(fields=fields)


def on_left_out(malformed: Sequence[str], unknown: Sequence[str]) -> list[str]:
    """What to say of lines that are no phone numbers, and of numbers that nobody has."""
    sentences = []
    if malformed:
        sentences.append(
            ngettext(
                "%(count)d line is no phone number: %(lines)s",
                "%(count)d lines are no phone numbers: %(lines)s",
                len(malformed),
            )
            % {"count": len(malformed), "lines": _some(malformed)}
        )
    if unknown:
        sentences.append(
            ngettext(
                "%(count)d number is of nobody among your customers: %(numbers)s",
                "%(count)d numbers are of nobody among your customers: %(numbers)s",
                len(unknown),
            )
            % {"count": len(unknown), "numbers": _some(unknown)}
        )
    return sentences


def _some(lines: Sequence[str]) -> str:
    shown = [f"“{Truncator(line).chars(LINE_LENGTH)}”" for line in lines[:LINES_SHOWN]]
    return ", ".join(shown) + (" …" if len(lines) > LINES_SHOWN else ".")
