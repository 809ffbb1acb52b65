"""Forms over the chain's and its branches' settings."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.core.plain_words import PlainWords
from marketing.policy.models import (
    BranchMarketingConfig,
    MarketingConfig,
)

SWITCH = forms.CheckboxInput(attrs={"role": "switch"})
TIME = forms.TimeInput(format="%H:%M", attrs={"type": "time"})


class SettingsForm(PlainWords, forms.ModelForm):
    """A form over stored settings."""

    @property
    def changes(self) -> dict[str, Any]:
        """What of the valid form differs from what is stored."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class SwitchesForm(SettingsForm):
    assumed_consent = forms.MultipleChoiceField(
        label=_("Take consent as given on"),
        choices=Channel.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "For people whom staff or the counter enter. Off means that each of them has to "
            "agree first. Imported people never count as having agreed."
        ),
    )

    class Meta:
        model = MarketingConfig
        fields = (
            "marketing_enabled",
            "whatsapp_enabled",
            "sms_enabled",
            "email_enabled",
            "postal_address",
        )
        labels = {
            "marketing_enabled": _("Send marketing at all"),
            "whatsapp_enabled": _("WhatsApp"),
            "sms_enabled": _("SMS"),
            "email_enabled": _("E-mail"),
            "postal_address": _("Postal address"),
        }
        help_texts = {
            "marketing_enabled": _("Off stops every message of every branch at once."),
            "postal_address": _(
                "Stands under offers by e-mail, as US law asks. Empty: your first salon's."
            ),
        }
        widgets = dict.fromkeys(fields[:4], SWITCH)

    def __init__(self, data: Any = None, *, instance: MarketingConfig) -> None:
        agreed = [channel for channel, is_on in instance.assumed_consent.items() if is_on]
        super().__init__(data, instance=instance, initial={"assumed_consent": agreed})

    def clean_assumed_consent(self) -> dict[str, bool]:
        chosen = self.cleaned_data["assumed_consent"]
        return {channel: channel in chosen for channel in Channel.values}


class HoursForm(SettingsForm):
    class Meta:
        model = MarketingConfig
        fields = (
            "send_window_start",
            "send_window_end",
            "daily_message_limit_per_customer",
            "weekly_message_limit_per_customer",
            "stale_schedule_minutes",
            "unknown_decision_hours",
            "message_retention_months",
        )
        labels = {
            "send_window_start": _("Send from"),
            "send_window_end": _("Until"),
            "daily_message_limit_per_customer": _("Messages a day to one person"),
            "weekly_message_limit_per_customer": _("Messages a week to one person"),
            "stale_schedule_minutes": _("Ask before a late start after (minutes)"),
            "unknown_decision_hours": _("Ask about lost answers after (hours)"),
            "message_retention_months": _("Keep message logs for (months)"),
        }
        help_texts = {
            "send_window_start": _("By the clock of each customer's branch."),
            "send_window_end": _(
                "The same time twice means all day. SMS in India go from 10:00 to 21:00 only, "
                "whatever is set here."
            ),
            "weekly_message_limit_per_customer": _("Over all channels and branches."),
            "unknown_decision_hours": _(
                "What a provider never answered may still be reported by it. After this, somebody "
                "decides whether it counts as sent."
            ),
        }
        widgets = {"send_window_start": TIME, "send_window_end": TIME}


class BudgetForm(SettingsForm):
    class Meta:
        model = MarketingConfig
        fields = ("monthly_budget_limit", "budget_alert_threshold_percent")
        labels = {
            "monthly_budget_limit": _("Limit of the whole chain a month"),
            "budget_alert_threshold_percent": _("Warn at (per cent)"),
        }
        help_texts = {"monthly_budget_limit": _("Empty means no limit.")}


class ApprovalForm(SettingsForm):
    class Meta:
        model = MarketingConfig
        fields = (
            "campaign_approval_required",
            "campaign_approval_threshold_recipients",
            "approval_threshold_cost",
            "approval_threshold_discount_percent",
            "locked_templates_only",
        )
        labels = {
            "campaign_approval_required": _("Campaigns need approval"),
            "campaign_approval_threshold_recipients": _("From this many people"),
            "approval_threshold_cost": _("Or from this cost"),
            "approval_threshold_discount_percent": _("Or from this discount (per cent)"),
            "locked_templates_only": _("Branches send head office's messages only"),
        }
        help_texts = {
            "campaign_approval_required": _(
                "By a regional manager or super owner who did not write the campaign."
            ),
            "approval_threshold_cost": _("Empty: the cost alone never asks for approval."),
            "approval_threshold_discount_percent": _(
                "The most that the campaign's offer may take off a bill. Empty: the offer alone "
                "never asks for approval."
            ),
            "locked_templates_only": _(
                "Managers choose among the locked templates and fill in what these leave open. "
                "Only super owners write others. Lock some for each channel first."
            ),
        }
        widgets = dict.fromkeys(("campaign_approval_required", "locked_templates_only"), SWITCH)


class LinksForm(SettingsForm):
    website = forms.URLField(
        label=_("Website of the chain"),
        required=False,
        assume_scheme="https",
        help_text=_("Where a link that is over still leads."),
    )

    class Meta:
        model = MarketingConfig
        fields = (
            "track_whatsapp_links",
            "track_email_links",
            "track_sms_links",
            "track_opens",
            "add_utm",
            "link_days",
            "website",
        )
        labels = {
            "track_whatsapp_links": _("Count clicks on WhatsApp buttons"),
            "track_email_links": _("Count clicks in e-mails"),
            "track_sms_links": _("Count clicks in SMS"),
            "track_opens": _("Count opened e-mails"),
            "add_utm": _("Tell the website where visitors come from"),
            "link_days": _("Links lead on for (days)"),
        }
        help_texts = {
            "track_whatsapp_links": _(
                "Holds for templates handed in from now on; approved ones stay as they are."
            ),
            "track_sms_links": _(
                "Holds for new versions of templates. In India the address of our links has to "
                "be whitelisted on the DLT portal first, and stands in the registered text."
            ),
            "add_utm": _(
                "By utm_source, utm_medium, utm_campaign and utm_content, where the link does "
                "not say so itself."
            ),
            "link_days": _("Empty: as long as the message logs are kept."),
        }
        widgets = dict.fromkeys(fields[:5], SWITCH)


class BranchBudgetForm(SettingsForm):
    class Meta:
        model = BranchMarketingConfig
        fields = ("marketing_enabled", "monthly_budget_limit")
