"""The only door to the vendors."""

from dataclasses import dataclass
from types import ModuleType

from marketing.delivery.providers.base import Account
from marketing.delivery.providers.meta import client as meta_client
from marketing.delivery.providers.meta import webhook as meta_webhook
from marketing.delivery.providers.msg91 import client as msg91_client
from marketing.delivery.providers.msg91 import webhook as msg91_webhook
from marketing.delivery.providers.sendgrid import client as sendgrid_client
from marketing.delivery.providers.sendgrid import webhook as sendgrid_webhook
from marketing.policy.models import Provider, ProviderAccount


@dataclass(frozen=True)
class Vendor:
    """A vendor's two modules: `client` asks, `webhook` (None: it never calls) hears."""

    client: ModuleType
    webhook: ModuleType | None


VENDORS = {
    Provider.META: Vendor(meta_client, meta_webhook),
    Provider.MSG91: Vendor(msg91_client, msg91_webhook),
    Provider.SENDGRID: Vendor(sendgrid_client, sendgrid_webhook),
}


def vendor(provider: str) -> Vendor:
    """Raises KeyError for a provider without a folder."""
    return VENDORS[Provider(provider)]


def webhook_of(provider: str) -> ModuleType:
    """What hears the provider's callbacks. Raises KeyError for one that never calls."""
    webhook = vendor(provider).webhook
    if webhook is None:
        raise KeyError(provider)
    return webhook


def account_of(row: ProviderAccount) -> Account:
    """The account's plain values, decrypted."""
    return Account(
        id=row.pk,
        provider=row.provider,
        base_url=row.base_url.rstrip("/"),
        credentials=row.credentials,
        sender=row.sender,
        rate_per_second=row.rate_per_second,
        max_concurrency=row.max_concurrency,
    )
