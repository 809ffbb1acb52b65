"""People and programs that may come in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketing.core.actor import SCOPES
from marketing.core.models import Branch, Staff
from marketing.core.plain_words import PlainWords
from marketing.core.sent_again import OnceMoreForm
from marketing.policy.forms.settings import SWITCH

SEARCHABLE = forms.SelectMultiple(attrs={"data-searchable": True})
SCOPE_LABELS = {
    "read": _("Read customers, campaigns and figures"),
    "counter": _("Billing counter: bills, offers, points and customers"),
    "events": _("Send customers and their events"),
}


def offer_branches(form: forms.BaseForm) -> None:
    """Fill the form's `branch_ids` with the chain's branches, now that its scope is open."""
    field = form.fields["branch_ids"]
    assert isinstance(field, forms.ModelMultipleChoiceField)
    field.queryset = Branch.objects.filter(is_active=True)


class StaffForm(PlainWords, forms.ModelForm):
    branch_ids: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        label=_("Branches"),
        queryset=None,
        required=False,
        widget=SEARCHABLE,
        help_text=_("A super owner has every branch."),
    )
    username = forms.CharField(label=_("Username"), max_length=150)
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least eight characters. They can change it after logging in."),
    )

    class Meta:
        model = Staff
        fields = ("name", "role", "email", "phone", "is_active")
        labels = {
            "name": _("Name"),
            "role": _("Role"),
            "email": _("E-mail"),
            "phone": _("Phone"),
            "is_active": _("May log in"),
        }
        widgets = {"is_active": SWITCH}

    field_order = ("name", "role", "branch_ids", "username", "password", "email", "phone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_branches(self)
        if self.instance._state.adding:
            del self.fields["is_active"]
            return
        self.initial.update(
            branch_ids=[branch.pk for branch in self.instance.branches.all()],
            username=self.instance.user.username,
        )
        self.fields["username"].disabled = True
        self.fields["password"].label = _("New password")
        self.fields["password"].required = False

    @property
    def values(self) -> dict[str, Any]:
        branches = self.cleaned_data["branch_ids"]
        return self.cleaned_data | {"branch_ids": [branch.pk for branch in branches]}


class KeyForm(PlainWords, OnceMoreForm):
    name = forms.CharField(
        label=_("Program"), max_length=100, help_text=_("Such as “Billing, Bandra”.")
    )
    terminal = forms.CharField(
        label=_("Till"),
        max_length=60,
        required=False,
        help_text=_("If each till has a key of its own: one that is lost is revoked alone."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("May"),
        choices=[(scope, SCOPE_LABELS[scope]) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    branch_ids: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        label=_("Only these branches"),
        queryset=None,
        required=False,
        widget=SEARCHABLE,
        help_text=_("None chosen: every branch."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_branches(self)

    @property
    def values(self) -> dict[str, Any]:
        said = {name: value for name, value in self.cleaned_data.items() if name != "again"}
        return said | {"branch_ids": [branch.pk for branch in said["branch_ids"]] or None}
