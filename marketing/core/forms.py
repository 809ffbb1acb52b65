"""Forms of one's own page."""

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from marketing.core.models import Staff
from marketing.core.plain_words import PlainWords


class OwnForm(PlainWords, forms.ModelForm):
    """What everybody decides for themselves."""

    language = forms.ChoiceField(
        label=_("Language of e-mails"),
        required=False,
        choices=[("", _("The chain's first")), *settings.LANGUAGES],
    )

    class Meta:
        model = Staff
        fields = ("notify_by_email", "language")
        labels = {"notify_by_email": _("Tell me by e-mail too")}
        widgets = {"notify_by_email": forms.CheckboxInput(attrs={"role": "switch"})}


class PersonField(forms.ModelChoiceField):
    """A member of the staff, shown with the role."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.get_role_display()}"


class AwayForm(PlainWords, forms.Form):
    """Who approves in one's place, and from when to when."""

    delegate = PersonField(
        label=_("Who approves in your place"),
        queryset=None,
        empty_label=_("Choose a manager"),
    )
    begins_on = forms.DateField(
        label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    ends_on = forms.DateField(
        label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, people: QuerySet[Staff], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["delegate"]
        assert isinstance(field, PersonField)
        field.queryset = people

    @property
    def values(self) -> dict[str, Any]:
        days = {name: self.cleaned_data[name] for name in ("begins_on", "ends_on")}
        return days | {"delegate_id": self.cleaned_data["delegate"].pk}
