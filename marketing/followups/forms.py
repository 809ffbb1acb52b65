from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.forms import RefusableForm
from marketing.core.actor import Actor
from marketing.followups import rules, selectors
from marketing.followups.models import FollowupReminder

NOTE_LENGTH = 2_000


class FollowupForm(RefusableForm):
    """A reminder as it is made or changed; only managers choose whose it is."""

    reminder_date = forms.DateField(
        label=_("Day"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    reminder_time = forms.TimeField(
        label=_("Time"), required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )
    note = forms.CharField(
        label=_("What about"),
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    staff: forms.ModelChoiceField = forms.ModelChoiceField(
        None, label=_("Who calls"), empty_label=None
    )

    def __init__(
        self, *args: Any, actor: Actor, followup: FollowupReminder | None = None, **more: Any
    ):
        if followup:
            more["initial"] = {name: getattr(followup, name) for name in self.base_fields}
        super().__init__(*args, **more)
        if not actor.can("followup.manage"):
            del self.fields["staff"]
            return
        staff: Any = self.fields["staff"]
        staff.queryset = selectors.colleagues_for_actor(actor).filter(is_active=True)


class InactiveForm(forms.Form):
    """The filters of the list of inactive customers."""

    days = forms.IntegerField(min_value=1, max_value=rules.MOST_INACTIVE_DAYS, required=False)
    staff = forms.UUIDField(required=False)
