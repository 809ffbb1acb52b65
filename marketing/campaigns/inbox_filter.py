"""How an approver narrows what waits."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.core.models import Branch, Staff


class InboxFilter(forms.Form):
    """What of it makes no sense is left out, so that an old link still shows something."""

    branch: forms.ModelChoiceField = forms.ModelChoiceField(
        label=_("Branch"), queryset=None, required=False, empty_label=_("Every branch")
    )
    channel = forms.ChoiceField(
        label=_("Channel"), required=False, choices=[("", _("Every channel")), *Channel.choices]
    )
    author: forms.ModelChoiceField = forms.ModelChoiceField(
        label=_("Author"), queryset=None, required=False, empty_label=_("Everybody")
    )
    days = forms.TypedChoiceField(
        label=_("Waiting"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", _("However long")),
            ("1", _("Longer than a day")),
            ("3", _("Longer than three days")),
            ("7", _("Longer than a week")),
        ],
    )
    over = forms.ChoiceField(
        label=_("Because of"),
        required=False,
        choices=[
            ("", _("Any reason")),
            ("recipients", _("Many people")),
            ("cost", _("High cost")),
        ],
    )

    def __init__(
        self, *args: Any, branches: QuerySet[Branch], authors: QuerySet[Staff], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        for name, queryset in (("branch", branches), ("author", authors)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = queryset

    @property
    def wanted(self) -> dict[str, Any]:
        self.is_valid()
        return self.cleaned_data
