"""Changes of the chain's and the branches' settings."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from customers.models import Channel
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant
from marketing.policy import config_cache
from marketing.policy.defaults import ensure_config
from marketing.policy.models import (
    BranchMarketingConfig,
    MarketingConfig,
    ProviderAccount,
)
from marketing.policy.rules import leaves_indian_sms_hours
from marketing.policy.services.accounts import (
    create_account,
    set_default_account,
    update_account,
)
from marketing.policy.services.budget import look_at_thresholds
from marketing.policy.vendors import VENDORS, Vendor, named_vendor, vendors_of_channel


@transaction.atomic
def update_config(*, actor: Actor, values: Mapping[str, Any]) -> MarketingConfig:
    """Change settings: columns of `MarketingConfig`, or Module 11's columns of a channel's
    default account (`whatsapp_provider`, `sms_sender_id`, `email_api_key` …).

    `assumed_consent` may name some of the channels. Raises `ValidationFailed` with the
    fields at fault; then nothing is changed.
    """
    actor.require("config.change")
    config_cache.invalidate()
    ensure_config()
    config = MarketingConfig.objects.select_for_update().get()
    of_accounts, own = _split(values)
    if "assumed_consent" in own:
        own["assumed_consent"] = config.assumed_consent | own["assumed_consent"]
    changes = audit.difference(config, own)
    for name, value in own.items():
        setattr(config, name, value)
    _check(config, own)
    config.save()
    if changes:
        audit.record(actor, "config.update", config, changes)
    if changes.keys() & {"monthly_budget_limit", "budget_alert_threshold_percent"}:
        look_at_thresholds(on=clock.now())
    for channel, columns in of_accounts.items():
        _update_default_account(actor, channel, columns)
    return config


@transaction.atomic
def update_branch_config(
    *, actor: Actor, branch: Branch, values: Mapping[str, Any]
) -> BranchMarketingConfig:
    """Change a branch's settings: `marketing_enabled`, `monthly_budget_limit` (None: no limit)."""
    actor.require("budget.config")
    BranchMarketingConfig.objects.get_or_create(branch=branch)
    config = BranchMarketingConfig.objects.select_for_update().get(branch=branch)
    changes = audit.difference(config, values)
    for name, value in values.items():
        setattr(config, name, value)
    _full_clean(config)
    config.save()
    if changes:
        audit.record(actor, "branch_config.update", config, changes)
    if "monthly_budget_limit" in changes:
        look_at_thresholds(on=clock.now())
    return config


# Columns of an account itself, by their names on the default account.
PORTFOLIO_COLUMNS = {
    "whatsapp_portfolio": "portfolio",
    "whatsapp_portfolio_limit": "portfolio_limit",
}


def account_columns() -> dict[str, str]:
    """Columns that live on a channel's default account, and their channel."""
    columns = {f"{channel}_provider": channel for channel in Channel.values}
    columns |= dict.fromkeys(PORTFOLIO_COLUMNS, Channel.WHATSAPP)
    for vendor in VENDORS.values():
        for field in (*vendor.credentials, *vendor.sender):
            if field.column:
                columns[field.column] = vendor.channel
    return columns


def _split(values: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    channel_of = account_columns()
    of_accounts: dict[str, dict[str, Any]] = {}
    own: dict[str, Any] = {}
    for name, value in values.items():
        if name in channel_of:
            of_accounts.setdefault(channel_of[name], {})[name] = value
        else:
            own[name] = value
    return of_accounts, own


def _check(config: MarketingConfig, changed: Mapping[str, Any]) -> None:
    _full_clean(config)
    daily, weekly = (
        config.daily_message_limit_per_customer,
        config.weekly_message_limit_per_customer,
    )
    if weekly < daily:
        name = (
            "weekly_message_limit_per_customer"
            if "weekly_message_limit_per_customer" in changed
            else "daily_message_limit_per_customer"
        )
        raise ValidationFailed(fields={name: [_("A week allows no fewer messages than a day.")]})
    start, end = config.send_window_start, config.send_window_end
    tenant = current_tenant()
    if tenant.country == "IN" and not leaves_indian_sms_hours(start, end):
        message = _("SMS may go between 10:00 and 21:00 in India; this leaves no hour for it.")
        raise ValidationFailed(fields={"send_window_end": [message]})
    if config.website and not _is_for_visitors(config.website):
        message = _("Begin with https:// or http://, and leave out names and passwords.")
        raise ValidationFailed(fields={"website": [message]})
    unknown = set(config.assumed_consent) - set(Channel.values)
    if unknown or not all(isinstance(value, bool) for value in config.assumed_consent.values()):
        message = _("Give true or false for whatsapp, sms and email.")
        raise ValidationFailed(fields={"assumed_consent": [message]})


def _is_for_visitors(url: str) -> bool:
    """Whether customers may be sent there: by a browser, and without anybody's password."""
    parts = urlsplit(url)
    return parts.scheme in ("https", "http") and "@" not in parts.netloc


def _full_clean(config: models.Model) -> None:
    try:
        config.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise ValidationFailed(fields=error.message_dict) from error


def _update_default_account(actor: Actor, channel: str, columns: Mapping[str, Any]) -> None:
    """Change the default account; a vendor other than its own becomes the default instead."""
    account = ProviderAccount.objects.filter(channel=channel, is_default=True).first()
    vendor = _vendor_asked(channel, columns, account)
    if account is None or account.provider != vendor.provider:
        account = ProviderAccount.objects.filter(provider=vendor.provider).order_by("pk").first()
    values = _account_values(vendor, columns)
    if account is None:
        values |= {"name": str(vendor.provider.label), "is_default": True}
        create_account(actor=actor, provider=vendor.provider, values=values, require_all=False)
        return
    account = update_account(actor=actor, account=account, values=values, require_all=False)
    if not account.is_default:
        set_default_account(actor=actor, account=account)


def _vendor_asked(
    channel: str, columns: Mapping[str, Any], account: ProviderAccount | None
) -> Vendor:
    name = columns.get(f"{channel}_provider")
    if not name:
        return VENDORS[account.provider] if account else vendors_of_channel(channel)[0]
    vendor = named_vendor(channel, name)
    if vendor is None:
        known = ", ".join(each.name for each in vendors_of_channel(channel))
        message = _("Parlour can send by these: %(providers)s.") % {"providers": known}
        raise ValidationFailed(fields={f"{channel}_provider": [message]})
    return vendor


def _account_values(vendor: Vendor, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns as the account services take them. Raises for one the vendor has not."""
    values: dict[str, Any] = {"credentials": {}, "sender": {}}
    for column, value in columns.items():
        if column == f"{vendor.channel}_provider":
            continue
        if own := PORTFOLIO_COLUMNS.get(column):
            values[own] = value
        elif found := vendor.field(column):
            group, key = found
            values[group][key] = value
        elif value:
            message = _("%(vendor)s has no such value.") % {"vendor": vendor.provider.label}
            raise ValidationFailed(fields={column: [message]})
    return values
