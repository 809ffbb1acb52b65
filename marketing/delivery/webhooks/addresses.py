"""Which account a webhook's address belongs to, kept in the process for at most a minute.

Secrets are decrypted into the process's own memory only; the shared cache holds a version
that changes with any account, and each process looks at it once a second.
"""

import time
import uuid
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from marketing.core.errors import NotFound
from marketing.core.tenancy import tenant_scope
from marketing.delivery.providers.base import Account
from marketing.delivery.registry import account_of, webhook_of
from marketing.policy.models import ProviderAccount, WebhookAddress

MAX_AGE_SECONDS = 60.0
LOOK_EVERY_SECONDS = 1.0
VERSION = "delivery:webhook-accounts"


@dataclass(frozen=True)
class Addressee:
    """The account that an address is of, and what hears its vendor's calls."""

    tenant_id: uuid.UUID
    account: Account
    webhook: ModuleType


class AddressBook:
    """Addressees by provider and token, for all threads of a process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, Addressee]] = {}
        self._version: Any = None
        self._looked_at = float("-inf")

    def find(self, provider: str, token: str) -> Addressee:
        """Raises `NotFound` when there is no such address of this provider's."""
        now = time.monotonic()
        if now - self._looked_at > LOOK_EVERY_SECONDS:
            self._looked_at = now
            self._forget_if_changed()
        kept = self._known.get((provider, token))
        if kept and now - kept[0] < MAX_AGE_SECONDS:
            return kept[1]
        found = _read(provider, token)
        self._known[provider, token] = (now, found)
        return found

    def _forget_if_changed(self) -> None:
        try:
            version = cache.get(VERSION)
        except RedisError:
            return  # what is kept goes within the minute
        if version != self._version:
            self._known.clear()
            self._version = version


def _read(provider: str, token: str) -> Addressee:
    address = WebhookAddress.objects.filter(token=token).first()
    if address is None:
        raise NotFound()
    with tenant_scope(address.tenant_id):
        row = ProviderAccount.objects.filter(pk=address.account_id, provider=provider).first()
    if row is None:
        raise NotFound()
    try:
        webhook = webhook_of(provider)
    except KeyError as error:
        raise NotFound() from error
    return Addressee(address.tenant_id, account_of(row), webhook)


def forget_account(**signal: Any) -> None:
    """An account was saved: every process reads it again within a second of the commit."""
    transaction.on_commit(lambda: cache.set(VERSION, uuid.uuid4().hex, None))


book = AddressBook()
