"""What the steps of the wizard have in common."""

from abc import abstractmethod
from typing import Any

from django import forms

from marketing.campaigns.models import Campaign
from marketing.core.actor import Actor
from marketing.core.plain_words import PlainWords

# Inputs as the contract names them, for errors that services raise.
FIELD_OF = {
    "templateId": "template",
    "channelMode": "how",
    "steps": "second",
    "steps.1.channel": "second",
    "steps.1.templateId": "second",
    "steps.1.afterMinutes": "second_minutes",
    "steps.2.channel": "third",
    "steps.2.templateId": "third",
    "steps.2.afterMinutes": "third_minutes",
    "couponId": "offer",
    "discountValue": "value",
    "validUntil": "valid_until",
    "maxUsesPerCustomer": "per_customer",
    "segmentId": "segment",
    "excludeSegmentIds": "excluded",
    "branchIds": "branches",
    "scheduledAt": "date",
    "recurrencePattern": "pattern",
    "recurrenceDay": "day",
    "recurrenceTime": "time",
    "recurrenceRule": "pattern",
    "campaignType": "when",
    "customerId": "customer",
    "phone": "to",
    "email": "to",
}


class StepForm(PlainWords, forms.Form):
    """A step of the wizard. `values()` is what the service takes."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, actor: Actor, campaign: Campaign | None, **options: Any) -> None:
        self.actor, self.campaign = actor, campaign
        if campaign is not None:
            stored = self.stored(campaign) | {"version": campaign.version}
            options["initial"] = stored | options.get("initial", {})
        super().__init__(*args, **options)

    @abstractmethod
    def stored(self, campaign: Campaign) -> dict[str, Any]:
        """The form's initial values for this campaign."""

    @abstractmethod
    def values(self) -> dict[str, Any]:
        """What was entered, as the service takes it."""

    def choices_of(self, name: str) -> Any:
        """A field whose choices depend on who fills the form."""
        return self.fields[name]
