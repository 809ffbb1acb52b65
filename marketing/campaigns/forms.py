"""What the wizard's steps and the approver's decision ask for."""

import uuid
from abc import abstractmethod
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.campaigns import rules
from marketing.campaigns.models import Campaign
from marketing.campaigns.slot_forms import SlotFields
from marketing.content.models import MessageTemplate
from marketing.content.selectors import templates_to_send
from marketing.core.actor import Actor
from marketing.core.models import Branch
from marketing.delivery.models import SendRun
from marketing.policy import selectors as policy
from marketing.segments.selectors import segments_for_actor

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
    "segmentId": "segment",
    "excludeSegmentIds": "excluded",
    "branchIds": "branches",
    "scheduledAt": "date",
    "recurrencePattern": "pattern",
    "recurrenceDay": "day",
    "recurrenceTime": "time",
    "recurrenceRule": "pattern",
    "campaignType": "when",
}


class StepForm(forms.Form):
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


def _choices_of(form: forms.Form, name: str) -> Any:
    """A field whose choices depend on who fills the form."""
    return form.fields[name]


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
        _choices_of(self, "branches").queryset = branches
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
        _choices_of(self, "segment").choices = [("", _("Choose…")), everyone, *segments]
        _choices_of(self, "excluded").choices = segments

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


class WaitField(forms.IntegerField):
    """Minutes in which a message should arrive before the next channel is used."""

    def __init__(self, **options: Any) -> None:
        longest = rules.LONGEST_WAIT_MINUTES
        super().__init__(required=False, min_value=1, max_value=longest, initial=30, **options)


class MessageForm(StepForm):
    """The first channel's message, and those of up to two channels that follow it."""

    HOW = (
        (SendRun.Mode.CASCADE, _("Only when the one before fails or does not arrive in time")),
        (SendRun.Mode.ALL, _("At the same time, to everybody")),
    )
    FURTHER = ("second", "third")

    template: "forms.ModelChoiceField[MessageTemplate]" = forms.ModelChoiceField(
        label=_("Message"),
        queryset=None,
        empty_label=_("Choose…"),
        widget=forms.Select(attrs={"data-searchable": True}),
    )
    second = forms.ChoiceField(
        label=_("Second channel"),
        required=False,
        help_text=_("Leave empty to use one channel only."),
    )
    second_minutes = WaitField(label=_("Minutes to wait for the first to arrive"))
    third = forms.ChoiceField(label=_("Third channel"), required=False)
    third_minutes = WaitField(label=_("Minutes to wait for the second to arrive"))
    how = forms.ChoiceField(
        label=_("The further channels are used"),
        choices=HOW,
        required=False,
        widget=forms.RadioSelect,
        help_text=_("A person's preferred channel goes first when they follow each other."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        assert self.campaign is not None
        usable = templates_to_send(self.actor).order_by("name")
        _choices_of(self, "template").queryset = usable.filter(channel=self.campaign.channel)
        self.templates = {
            str(template.pk): template for template in usable.exclude(channel=self.campaign.channel)
        }
        by_channel = [
            (
                label,
                [
                    (pk, f"{label}: {template.name}")
                    for pk, template in self.templates.items()
                    if template.channel == channel
                ],
            )
            for channel, label in Channel.choices
            if channel != self.campaign.channel
        ]
        for name in self.FURTHER:
            _choices_of(self, name).choices = [("", _("None")), *by_channel]
        asked = self.data if self.is_bound else self.initial
        chosen = [asked.get(name) for name in ("template", *self.FURTHER)]
        self.slots = SlotFields(self, self.campaign, chosen)

    def stored(self, campaign: Campaign) -> dict[str, Any]:
        values: dict[str, Any] = {"template": campaign.template_id}
        for name, step in zip(self.FURTHER, campaign.further_steps, strict=False):
            values |= {name: step["templateId"], f"{name}_minutes": step["afterMinutes"] or 30}
        if campaign.channel_mode != SendRun.Mode.SINGLE:
            values["how"] = campaign.channel_mode
        elif campaign.channel == Channel.WHATSAPP and policy.get_config().sms_fallback_enabled:
            values["how"] = SendRun.Mode.CASCADE
        return values

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("third") and not data.get("second"):
            data["second"], data["second_minutes"] = data["third"], data.get("third_minutes")
            data["third"] = ""
        if data.get("second") and not data.get("how"):
            self.add_error("how", _("Say when the further channels are used."))
        if data.get("how") == SendRun.Mode.CASCADE:
            for name in self.FURTHER:
                if data.get(name) and not data.get(f"{name}_minutes") and not self.errors:
                    self.add_error(f"{name}_minutes", _("Say how many minutes."))
        if "later" not in self.data:
            for name in self.slots.missing():
                self.add_error(name, _("Fill this in."))
        return data

    def further_steps(self) -> list[dict[str, Any]]:
        """The channels that were chosen to follow the first, as the campaign keeps them."""
        data = self.cleaned_data
        waits = data.get("how") == SendRun.Mode.CASCADE
        return [
            {
                "channel": self.templates[data[name]].channel,
                "templateId": data[name],
                "afterMinutes": data.get(f"{name}_minutes") if waits else 0,
            }
            for name in self.FURTHER
            if data.get(name)
        ]

    def values(self) -> dict[str, Any]:
        further = self.further_steps()
        return {
            "template_id": self.cleaned_data["template"].pk,
            "further_steps": further,
            "slot_values": self.slots.values(),
            "channel_mode": self.cleaned_data["how"] if further else SendRun.Mode.SINGLE,
        }
