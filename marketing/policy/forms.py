"""Forms of the settings' pages. They check and label; the services change."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.core.actor import SCOPES
from marketing.core.models import Branch, Staff
from marketing.policy.models import (
    BranchMarketingConfig,
    MarketingConfig,
    ProviderAccount,
    RateCard,
)
from marketing.policy.vendors import AccountField, Vendor, secret_hint

SWITCH = forms.CheckboxInput(attrs={"role": "switch"})
TIME = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
SEARCHABLE = forms.SelectMultiple(attrs={"data-searchable": True})
SCOPE_LABELS = {
    "read": _("Read customers, campaigns and figures"),
    "counter": _("Billing counter: customers, consent and opt-outs"),
    "events": _("Send customers and their events"),
}


class SettingsForm(forms.ModelForm):
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
        )
        labels = {
            "campaign_approval_required": _("Campaigns need approval"),
            "campaign_approval_threshold_recipients": _("From this many people"),
            "approval_threshold_cost": _("Or from this cost"),
        }
        help_texts = {
            "campaign_approval_required": _(
                "By a regional manager or super owner who did not write the campaign."
            ),
            "approval_threshold_cost": _("Empty: the cost alone never asks for approval."),
        }
        widgets = {"campaign_approval_required": SWITCH}


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


class AccountForm(forms.ModelForm):
    """An account at a vendor, with a field for each thing that vendor asks."""

    base_url = forms.URLField(label=_("Address of the vendor's API"), assume_scheme="https")

    class Meta:
        model = ProviderAccount
        fields = (
            "name",
            "base_url",
            "rate_per_second",
            "max_concurrency",
            "portfolio",
            "portfolio_limit",
            "is_active",
        )
        labels = {
            "name": _("Name"),
            "rate_per_second": _("Messages a second"),
            "max_concurrency": _("Requests at the same time"),
            "portfolio": _("Business portfolio"),
            "portfolio_limit": _("People a day"),
            "is_active": _("In use"),
        }
        help_texts = {
            "portfolio": _("A name of yours; accounts with the same one share its limit."),
            "portfolio_limit": _(
                "WhatsApp's messaging limit: so many different people in 24 hours over all "
                "numbers of the portfolio. Empty: no limit."
            ),
        }
        widgets = {"is_active": SWITCH}

    def __init__(self, *args: Any, vendor: Vendor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.vendor = vendor
        account: ProviderAccount = self.instance
        if account._state.adding:
            self.initial.update(name=vendor.provider.label, base_url=vendor.base_url)
            del self.fields["is_active"]
        if not vendor.base_url:
            del self.fields["base_url"]
        if vendor.channel != Channel.WHATSAPP:
            del self.fields["portfolio"], self.fields["portfolio_limit"]
        for field in vendor.sender:
            stored = account.sender.get(field.key, "")
            self.fields[f"sender.{field.key}"] = _sender_field(field, stored)
        for field in vendor.credentials:
            stored = account.credentials.get(field.key, "")
            self.fields[f"credentials.{field.key}"] = forms.CharField(
                label=str(field.label),
                required=field.is_required and not stored,
                help_text=_kept(stored) if stored else str(field.help_text),
                widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
            )

    @property
    def values(self) -> dict[str, Any]:
        """What the account services take; an empty secret means the stored one."""
        found: dict[str, Any] = {"sender": {}, "credentials": {}}
        for name, value in self.cleaned_data.items():
            group, _dot, key = name.partition(".")
            if not key:
                found[name] = value
            elif value or group == "sender":
                found[group][key] = value
        return found


def _sender_field(field: AccountField, stored: str) -> forms.Field:
    said: dict[str, Any] = {
        "label": str(field.label),
        "required": field.is_required,
        "help_text": str(field.help_text),
        "initial": stored,
    }
    if field.choices:
        return forms.ChoiceField(choices=field.choices, **said)
    return forms.CharField(**said)


def _kept(secret: str) -> str:
    last = secret_hint(secret)["last4"]
    if not last:
        return gettext("Stored; leave empty to keep it.")
    return gettext("Stored, ends in %(last)s; leave empty to keep it.") % {"last": last}


def offer_branches(form: forms.BaseForm) -> None:
    """Fill the form's `branch_ids` with the chain's branches, now that its scope is open."""
    field = form.fields["branch_ids"]
    assert isinstance(field, forms.ModelMultipleChoiceField)
    field.queryset = Branch.objects.filter(is_active=True)


class StaffForm(forms.ModelForm):
    branch_ids: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        label=_("Branches"),
        queryset=None,
        required=False,
        widget=SEARCHABLE,
        help_text=_("A super owner has every branch."),
    )
    username = forms.CharField(label=_("Username"), max_length=150)
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least eight characters. They can change it after logging in."),
    )

    class Meta:
        model = Staff
        fields = ("name", "role", "email", "phone", "is_active")
        labels = {
            "name": _("Name"),
            "role": _("Role"),
            "email": _("E-mail"),
            "phone": _("Phone"),
            "is_active": _("May log in"),
        }
        widgets = {"is_active": SWITCH}

    field_order = ("name", "role", "branch_ids", "username", "password", "email", "phone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_branches(self)
        if self.instance._state.adding:
            del self.fields["is_active"]
            return
        self.initial.update(
            branch_ids=[branch.pk for branch in self.instance.branches.all()],
            username=self.instance.user.username,
        )
        self.fields["username"].disabled = True
        self.fields["password"].label = _("New password")
        self.fields["password"].required = False

    @property
    def values(self) -> dict[str, Any]:
        branches = self.cleaned_data["branch_ids"]
        return self.cleaned_data | {"branch_ids": [branch.pk for branch in branches]}


class KeyForm(forms.Form):
    name = forms.CharField(
        label=_("Program"), max_length=100, help_text=_("Such as “Billing, Bandra”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("May"),
        choices=[(scope, SCOPE_LABELS[scope]) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    branch_ids: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        label=_("Only these branches"),
        queryset=None,
        required=False,
        widget=SEARCHABLE,
        help_text=_("None chosen: every branch."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_branches(self)

    @property
    def values(self) -> dict[str, Any]:
        branches = self.cleaned_data["branch_ids"]
        return self.cleaned_data | {"branch_ids": [branch.pk for branch in branches] or None}


class RateCardForm(forms.ModelForm):
    """A price from a day on."""

    class Meta:
        model = RateCard
        fields = (
            "provider",
            "category",
            "country",
            "amount",
            "currency",
            "exchange_rate",
            "effective_from",
        )
        labels = {
            "provider": _("Provider"),
            "category": _("Kind of message"),
            "country": _("Country of the phone"),
            "amount": _("Price of a message, or of an SMS part"),
            "currency": _("Currency of the price"),
            "exchange_rate": _("Exchange rate"),
            "effective_from": _("From"),
        }
        help_texts = {
            "country": _("Two letters, such as IN. For e-mail: your own country."),
            "currency": _("Three letters, such as INR."),
            "exchange_rate": _(
                "Only for a price in another currency: what one unit of it costs in yours."
            ),
        }
        widgets = {
            "category": forms.Select(
                choices=[("marketing", _("Promotional")), ("utility", _("Service, transactional"))]
            ),
            "effective_from": forms.DateInput(attrs={"type": "date"}),
        }
