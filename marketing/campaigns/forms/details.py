"""The first step: what the campaign is, and whose."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.campaigns.forms.step import StepForm
from marketing.campaigns.models import Campaign
from marketing.core.models import Branch
from marketing.delivery.models import SendRun


class DetailsForm(StepForm):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Only your team sees it."))
    description = forms.CharField(
        label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    channel = forms.ChoiceField(
        label=_("Channel"), choices=Channel.choices, widget=forms.RadioSelect
    )
    branches: "forms.ModelMultipleChoiceField[Branch]" = forms.ModelMultipleChoiceField(
        label=_("Branches"),
        queryset=None,
        required=False,
        widget=forms.SelectMultiple(attrs={"data-searchable": True}),
        help_text=_("Leave empty for all of your branches."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        branches = Branch.objects.filter(is_active=True)
        if self.actor.branch_ids is not None:
            branches = branches.filter(pk__in=self.actor.branch_ids)
        self.choices_of("branches").queryset = branches
        if self.campaign is None:
            self.initial.setdefault("channel", Channel.WHATSAPP)

    def stored(self, campaign: Campaign) -> dict[str, Any]:
        return {
            "name": campaign.name,
            "description": campaign.description,
            "channel": campaign.channel,
            "branches": campaign.branch_ids or [],
        }

    def values(self) -> dict[str, Any]:
        values = {name: self.cleaned_data[name] for name in ("name", "description", "channel")}
        values["branch_ids"] = [branch.pk for branch in self.cleaned_data["branches"]] or None
        if self.campaign is not None and self.campaign.channel != values["channel"]:
            values |= {"template_id": None, "channel_mode": SendRun.Mode.SINGLE}
        return values
