"""What a test send asks for."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketing.content.forms import language_name
from marketing.core.actor import Actor
from marketing.core.models import Staff
from marketing.core.plain_words import PlainWords


class TestSendForm(PlainWords, forms.Form):
    """A test: to whom of the staff, as for whom, in which language."""

    to = forms.ChoiceField(label=_("To"), required=False)
    customer = forms.CharField(
        label=_("Write it as for"),
        required=False,
        help_text=_("Name or phone of a customer; empty for somebody of the audience."),
    )
    with_samples = forms.BooleanField(label=_("With made-up values instead"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(
        self,
        *args: Any,
        actor: Actor,
        languages: Collection[str],
        staff: Collection[Staff],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        own = actor.staff
        others = [(str(each.pk), each.name) for each in staff if own is None or each.pk != own.pk]
        self._choices_of("to").choices = [("", _("My own phone and address")), *others]
        codes = [(code, language_name(code)) for code in languages]
        self._choices_of("language").choices = [("", _("The customer's own")), *codes]

    def _choices_of(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field
