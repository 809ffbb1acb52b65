"""Shapes of the import's pages; the rules are the services'."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.forms import RefusableForm
from customers.imports import columns
from customers.imports.consents import SOURCES
from customers.imports.matching import FILL, OVERWRITE
from customers.imports.repeats import FIRST, LAST
from customers.models import ImportJob
from marketing.core.actor import Actor
from marketing.core.selectors import branches_for_actor


class UploadForm(RefusableForm):
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or Excel (.xlsx), the first line with headers; up to 10,00,000 rows."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,text/csv"}),
        allow_empty_file=True,
    )


class ColumnsForm(RefusableForm):
    """One choice a column of the file, and how the lines are taken in."""

    rule = forms.ChoiceField(
        label=_("Customers who are known already"),
        choices=[
            (FILL, _("Fill in what is empty")),
            (OVERWRITE, _("Overwrite with what the file says")),
        ],
        help_text=_("An empty cell never deletes anything; tags are always added."),
    )
    repeats = forms.ChoiceField(
        label=_("The same person in several lines"),
        choices=[(LAST, _("The last line counts")), (FIRST, _("The first line counts"))],
        help_text=_("What that line leaves empty is taken from the others."),
    )
    date_order = forms.ChoiceField(
        label=_("Dates are written as"),
        choices=[("dmy", "31/12/1990"), ("mdy", "12/31/1990"), ("ymd", "1990/12/31")],
    )
    home_branch = forms.ChoiceField(
        label=_("Home branch of new people whose line names none"), required=False
    )
    tag = forms.CharField(
        label=_("A tag for everybody in this file"),
        max_length=50,
        required=False,
        help_text=_("A segment with this tag is then the list of these people."),
    )
    consent_source = forms.ChoiceField(
        label=_("Where the consents in this file were given"),
        required=False,
        choices=[("", _("No consent is taken from this file")), *SOURCES.items()],
    )
    consent_date = forms.DateField(
        label=_("When"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    consent_wording = forms.CharField(
        label=_("Wording people agreed to"),
        max_length=50,
        required=False,
        help_text=_("Name or version, as you keep it."),
    )
    consent_details = forms.CharField(label=_("More about it"), max_length=300, required=False)

    def __init__(self, *args: Any, actor: Actor, job: ImportJob, **more: Any) -> None:
        choices = _choices()
        more["initial"] = {**job.options} | {
            f"column_{index}": name for index, name in enumerate(job.mapping)
        }
        super().__init__(*args, **more)
        self.job = job
        branches: Any = self.fields["home_branch"]
        mine = [(str(branch.pk), branch.name) for branch in branches_for_actor(actor)]
        branches.choices = mine if len(mine) == 1 and actor.branch_ids else [("", "–"), *mine]
        for index, header in enumerate(job.headers):
            seen = [row[index] for row in job.samples if index < len(row) and row[index].strip()]
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=header or format_lazy(_("Column {number}"), number=index + 1),
                required=False,
                choices=choices,
                help_text=" · ".join(seen),
            )

    @property
    def columns(self) -> list[forms.BoundField]:
        return [self[f"column_{index}"] for index in range(len(self.job.headers))]

    @property
    def mapping(self) -> list[str]:
        return [self.cleaned_data[field.name] for field in self.columns]

    @property
    def options(self) -> dict[str, str]:
        given = {name: self.cleaned_data[name] for name in self.base_fields}
        return {name: str(value or "") for name, value in given.items()}


def _choices() -> list[Any]:
    targets = columns.all_targets()
    consents = {*columns.CONSENT_NAMES, columns.OPT_OUT.name}
    return [
        ("", _("Leave out")),
        (_("Customer"), [(t.name, t.label) for t in targets if t.name not in consents]),
        (_("Consent"), [(t.name, t.label) for t in targets if t.name in consents]),
    ]
