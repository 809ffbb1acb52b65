"""Provider accounts: which there are, which is the default, where vendors call it."""

import uuid

from django.conf import settings
from django.db.models import QuerySet

from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.policy.models import (
    ProviderAccount,
    WebhookAddress,
)


def accounts() -> QuerySet[ProviderAccount]:
    """Every provider account of the tenant, default ones first in each channel."""
    return ProviderAccount.objects.order_by("channel", "-is_default", "name")


def default_accounts() -> QuerySet[ProviderAccount]:
    """The accounts in use that the channels' messages leave by, at most one per channel."""
    return accounts().filter(is_default=True, is_active=True)


def default_account(channel: str) -> ProviderAccount | None:
    """The account that a channel's messages leave by; None when there is none in use."""
    return default_accounts().filter(channel=channel).first()


def lock_stopped_account(channel: str) -> ProviderAccount | None:
    """The account that the channel's messages would leave by, if its circuit is open.

    Locked: the circuit closes only after the caller's transaction, and finds what waits for it.
    """
    stopped = default_accounts().filter(channel=channel).exclude(circuit_reason="")
    return stopped.select_for_update(no_key=True).first()


def get_account_for_actor(actor: Actor, pk: uuid.UUID) -> ProviderAccount:
    """Raises `NotFound` for whoever may not see settings, too."""
    account = ProviderAccount.objects.filter(pk=pk).first() if actor.can("config.view") else None
    if account is None:
        raise NotFound()
    return account


def webhook_url(account: ProviderAccount) -> str:
    """The address to enter at the vendor for its callbacks."""
    token = WebhookAddress.objects.get(account_id=account.pk).token
    return f"{settings.PUBLIC_BASE_URL}/api/v1/webhooks/{account.provider}/{token}"
