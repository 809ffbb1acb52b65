"""The third step: what is said, on up to three channels."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.campaigns import rules
from marketing.campaigns.forms.slots import SlotFields
from marketing.campaigns.forms.step import StepForm
from marketing.campaigns.models import Campaign
from marketing.content.models import MessageTemplate
from marketing.content.selectors import templates_to_send
from marketing.delivery.models import SendRun
from marketing.policy import selectors as policy


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
        self.choices_of("template").queryset = usable.filter(channel=self.campaign.channel)
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
            self.choices_of(name).choices = [("", _("None")), *by_channel]
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

    @property
    def has_further_errors(self) -> bool:
        """Whether something is wrong with the channels that follow the first."""
        return not {"how", *self.FURTHER, *(f"{name}_minutes" for name in self.FURTHER)}.isdisjoint(
            self.errors
        )

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
