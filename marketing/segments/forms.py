"""Input of the segment pages, beside the rules themselves (`builder/`)."""

import csv
import io
import uuid
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.core.actor import Actor
from marketing.core.errors import DomainError
from marketing.core.selectors import branches_for_actor
from marketing.segments.services import MAX_MEMBERS

MAX_FILE_BYTES = 1_000_000
# Where a service's complaint is shown.
_PLACES = {"branchIds": "branch_ids", "customerIds": "phones"}


class SegmentForm(forms.Form):
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
        return [cell for cell in rows if any(letter.isdigit() for letter in cell)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        typed = [line.strip() for line in cleaned.get("phones", "").splitlines() if line.strip()]
        numbers = [*typed, *cleaned.get("file", [])]
        if len(numbers) > MAX_MEMBERS:
            message = _("At most %(max)d numbers.") % {"max": MAX_MEMBERS}
            self.add_error("phones", message)
        self.numbers = numbers
        return cleaned
