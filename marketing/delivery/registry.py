"""The only door to the vendors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from marketing.delivery.providers.base import Account, Envelope
from marketing.policy import selectors as policy
from marketing.policy.models import Provider, ProviderAccount


@dataclass(frozen=True)
class Vendor:
    """A vendor's folder under `providers`, imported when it is first used.

    `charges` is given where the same folder serves channels that are charged differently.
    `reaches_user_ids`: it sends to WhatsApp's business-scoped user ids, not to phones only.
    """

    folder: str
    charges: str = ""
    reaches_user_ids: bool = False

    @cached_property
    def client(self) -> ModuleType:
        """What asks the vendor."""
        return import_module(f"marketing.delivery.providers.{self.folder}.client")

    @cached_property
    def webhook(self) -> ModuleType | None:
        """What reads the vendor's reports; None for one that sends none."""
        name = f"marketing.delivery.providers.{self.folder}.webhook"
        return import_module(name) if find_spec(name) else None

    @cached_property
    def mailbox(self) -> ModuleType | None:
        """What fetches reports; None for a vendor that leaves none in a mailbox."""
        name = f"marketing.delivery.providers.{self.folder}.mailbox"
        return import_module(name) if find_spec(name) else None

    @cached_property
    def templates(self) -> ModuleType | None:
        """What finds the templates made at the vendor; None where we hand them in, or need none."""
        name = f"marketing.delivery.providers.{self.folder}.templates"
        return import_module(name) if find_spec(name) else None

    @property
    def charged_on(self) -> str:
        """With which state a message is charged: "sent" or "delivered"."""
        return self.charges or str(self.client.CHARGED_ON)

    @property
    def max_batch(self) -> int:
        """How many messages one call takes."""
        return int(self.client.MAX_BATCH)

    @property
    def is_idempotent(self) -> bool:
        """Whether a request that got no answer may be repeated."""
        return bool(getattr(self.client, "IS_IDEMPOTENT", False))

    def batch_size(self, account: Account) -> int:
        """How many messages to hand over together: the account's own wish, or `max_batch`."""
        return int(account.sender.get("batch_size") or self.max_batch)

    def calls(self, account: Account, envelopes: Sequence[Envelope]) -> list[list[Envelope]]:
        """The envelopes, in order, as they share calls to the vendor."""
        if hasattr(self.client, "calls"):
            calls: list[list[Envelope]] = self.client.calls(account, envelopes)
            return calls
        size = self.batch_size(account)
        return [list(envelopes[at : at + size]) for at in range(0, len(envelopes), size)]


VENDORS = {
    Provider.META: Vendor("meta", reaches_user_ids=True),
    Provider.GUPSHUP: Vendor("gupshup"),
    Provider.TWILIO_WHATSAPP: Vendor("twilio", charges="delivered"),
    Provider.MSG91: Vendor("msg91"),
    Provider.TWILIO: Vendor("twilio"),
    Provider.SSL_WIRELESS: Vendor("ssl_wireless"),
    Provider.SENDGRID: Vendor("sendgrid"),
    Provider.SES: Vendor("ses"),
    Provider.SMTP: Vendor("smtp"),
}


async def close_clients() -> None:
    """End what the clients in use keep open in the running event loop."""
    for its in VENDORS.values():
        if "client" in vars(its) and hasattr(its.client, "close"):
            await its.client.close()


def vendor(provider: str) -> Vendor:
    """Raises KeyError for a provider without a folder."""
    return VENDORS[Provider(provider)]


def webhook_of(provider: str) -> ModuleType:
    """What reads the provider's reports. Raises KeyError for one that sends none."""
    webhook = vendor(provider).webhook
    if webhook is None:
        raise KeyError(provider)
    return webhook


def account_of(row: ProviderAccount) -> Account:
    """The account's plain values, decrypted."""
    names_webhook = getattr(vendor(row.provider).client, "NAMES_WEBHOOK", False)
    return Account(
        id=row.pk,
        provider=row.provider,
        base_url=row.base_url.rstrip("/"),
        credentials=row.credentials,
        sender=row.sender,
        rate_per_second=row.rate_per_second,
        max_concurrency=row.max_concurrency,
        webhook_url=policy.webhook_url(row) if names_webhook else "",
    )
