import datetime as dt

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.forms import RefusableForm
from marketing.core import clock
from marketing.core.sent_again import OnceMoreForm
from marketing.coupons.forms.rows import count_field, date_input


class CodesForm(RefusableForm, OnceMoreForm):
    """A batch of codes to be made."""

    name = forms.CharField(
        label=_("What they are for"), required=False, max_length=100, help_text=_("For yourselves.")
    )
    prefix = forms.CharField(  # type: ignore[assignment]
        label=_("Begin with"),
        required=False,
        max_length=20,
        help_text=_("Letters and digits, as in DIWALI."),
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off"}),
    )
    count = forms.IntegerField(label=_("How many"), min_value=1, max_value=1_000_000, initial=100)
    max_uses = count_field(
        _("Uses of each"), initial=1, help_text=_("Empty: as often as the offer allows.")
    )
    expires_on = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=date_input(),
        help_text=_("Empty: as long as the offer."),
    )
    symbols = forms.TypedChoiceField(
        label=_("Length"),
        required=False,
        coerce=int,
        empty_value=8,  # type: ignore[arg-type]
        choices=[(8, _("Short, for offers of little worth")), (12, _("Long, hard to guess"))],
        initial=8,
    )

    def clean_expires_on(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["expires_on"]
        if day and day < timezone.localdate(clock.now()):
            raise forms.ValidationError(_("This day is over: nobody could use them."))
        return day


class RedemptionFilter(forms.Form):
    """Which redemptions are shown."""

    since = forms.DateField(label=_("From"), required=False, widget=date_input())
    until = forms.DateField(label=_("To"), required=False, widget=date_input())
    branch = forms.UUIDField(required=False)
    after = forms.UUIDField(required=False)
