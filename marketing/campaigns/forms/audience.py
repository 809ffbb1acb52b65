"""The second step: who gets it."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketing.campaigns.forms.step import StepForm
from marketing.campaigns.models import Campaign
from marketing.segments.selectors import segments_for_actor

NOBODY_CHOSEN: dict[str, Any] = {
    "target_all_customers": False,
    "segment_id": None,
    "exclude_segment_ids": [],
}


class AudienceForm(StepForm):
    EVERYONE = "everyone"

    segment = forms.ChoiceField(
        label=_("Who gets it"), widget=forms.Select(attrs={"data-searchable": True})
    )
    excluded = forms.MultipleChoiceField(
        label=_("But not"),
        required=False,
        widget=forms.SelectMultiple(attrs={"data-searchable": True}),
        help_text=_("People in these segments are left out."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        segments = [
            (str(segment.pk), segment.display_name)
            for segment in segments_for_actor(self.actor)
            .order_by("name")
            .only("name", "segment_type")
        ]
        everyone = (self.EVERYONE, _("All customers of these branches"))
        self.choices_of("segment").choices = [("", _("Choose…")), everyone, *segments]
        self.choices_of("excluded").choices = segments

    def stored(self, campaign: Campaign) -> dict[str, Any]:
        segment = str(campaign.segment_id) if campaign.segment_id else ""
        return {
            "segment": self.EVERYONE if campaign.target_all_customers else segment,
            "excluded": [str(pk) for pk in campaign.exclude_segment_ids],
        }

    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data["segment"]
        everyone = chosen == self.EVERYONE
        return {
            "target_all_customers": everyone,
            "segment_id": None if everyone else uuid.UUID(chosen),
            "exclude_segment_ids": [uuid.UUID(pk) for pk in self.cleaned_data["excluded"]],
        }
