"""Accounts at the vendors, and what messages cost there."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.core.plain_words import PlainWords
from marketing.policy.forms.settings import SWITCH
from marketing.policy.models import (
    ProviderAccount,
    RateCard,
)
from marketing.policy.vendors import AccountField, Vendor, secret_hint


class AccountForm(PlainWords, forms.ModelForm):
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


class RateCardForm(PlainWords, forms.ModelForm):
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
