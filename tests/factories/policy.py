"""Settings, budgets and provider accounts of the open tenant scope."""

import datetime as dt
import secrets
from decimal import Decimal
from typing import Any

from django.conf import settings

from marketing.core.actor import Actor
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant_id
from marketing.policy import config_cache
from marketing.policy.defaults import ensure_config, ensure_rate_cards
from marketing.policy.models import (
    BranchMarketingConfig,
    BudgetMonth,
    MarketingConfig,
    Provider,
    ProviderAccount,
    RateCard,
    WebhookAddress,
)
from marketing.policy.services import create_account
from marketing.policy.vendors import VENDORS

WORKING_VALUES: dict[str, dict[str, dict[str, str]]] = {
    Provider.META: {
        "credentials": {"access_token": "EAAG-test-token-0001", "app_secret": "app-secret-0001"},
        "sender": {"phone_number_id": "106540352242922", "waba_id": "102290129340398"},
    },
    Provider.MSG91: {
        "credentials": {"authkey": "msg91-authkey-0001"},
        "sender": {"header": "PARLOR", "entity_id": "1201159100000000001"},
    },
    Provider.GUPSHUP: {
        "credentials": {"api_key": "gupshup-key-0001"},
        "sender": {"source": "918000000001", "app_name": "ParlourApp"},
    },
    Provider.TWILIO_WHATSAPP: {
        "credentials": {"account_sid": "AC0001", "auth_token": "twilio-token-0001"},
        "sender": {"from_number": "+14155238886"},
    },
    Provider.TWILIO: {
        "credentials": {"account_sid": "AC0002", "auth_token": "twilio-token-0002"},
        "sender": {"from_number": "PARLOR", "entity_id": "1201159100000000001"},
    },
    Provider.SSL_WIRELESS: {
        "credentials": {"api_token": "ssl-token-000001"},
        "sender": {"sid": "PARLOURBD"},
    },
    Provider.SENDGRID: {
        "credentials": {"api_key": "SG.test-key-0001"},
        "sender": {"from_email": "hello@example.com", "from_name": "Parlour"},
    },
    Provider.SES: {
        "credentials": {"access_key_id": "AKIA0001", "secret_access_key": "ses-secret-0001"},
        "sender": {"from_email": "hello@example.com", "configuration_set": "parlour"},
    },
    Provider.SMTP: {
        "credentials": {"username": "parlour", "password": "smtp-password-0001"},
        "sender": {"host": "smtp.example.com", "from_email": "hello@example.com"},
    },
}


def set_config(**values: Any) -> MarketingConfig:
    """The tenant's settings with these columns set, whatever the services would say."""
    config_cache.invalidate()
    config = ensure_config()
    MarketingConfig.objects.filter(pk=config.pk).update(**values)
    config.refresh_from_db()
    return config


def set_branch_config(branch: Branch, **values: Any) -> BranchMarketingConfig:
    config, _ = BranchMarketingConfig.objects.update_or_create(branch=branch, defaults=values)
    return config


def budget(branch: Branch | None, month: dt.date, *, reserved: str, spent: str) -> BudgetMonth:
    return BudgetMonth.objects.create(
        branch=branch, month=month, reserved=Decimal(reserved), spent=Decimal(spent)
    )


def make_account(provider: str, **values: Any) -> ProviderAccount:
    """An account that works, at the sandbox's address."""
    return create_account(
        actor=Actor.system(current_tenant_id()),
        provider=provider,
        values={
            "name": Provider(provider).label,
            "base_url": settings.SANDBOX_URL,
            **WORKING_VALUES[provider],
            **values,
        },
    )


def make_default_accounts(*providers: str, **values: Any) -> list[ProviderAccount]:
    """Accounts that work, each its channel's default, in a statement a table.

    The row that `make_account` leaves, without the service's own checks and its audit.
    """
    accounts = [
        ProviderAccount(
            **{
                "provider": provider,
                "channel": VENDORS[provider].channel,
                "name": Provider(provider).label,
                "base_url": settings.SANDBOX_URL,
                "is_default": True,
                **WORKING_VALUES[provider],
                **values,
            }
        )
        for provider in providers
    ]
    if not RateCard.objects.exists():
        ensure_rate_cards()
    ProviderAccount.objects.filter(
        channel__in=[account.channel for account in accounts], is_default=True
    ).update(is_default=False)
    ProviderAccount.objects.bulk_create(accounts)
    WebhookAddress.objects.bulk_create(
        WebhookAddress(
            token=secrets.token_urlsafe(), tenant_id=current_tenant_id(), account_id=account.pk
        )
        for account in accounts
    )
    return accounts
