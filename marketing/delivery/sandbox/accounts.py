"""Accounts: who may send through the sandbox, and how it treats what they send."""

import dataclasses
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from marketing.delivery.sandbox.database import Database

# What an account must say of itself; the first of them names it in a request, so it must be
# unique among the vendor's accounts.
REQUIRED_CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "meta": ("phone_number_id", "access_token", "app_secret", "waba_id"),
    "gupshup": ("app_name", "api_key", "source"),
    "twilio_whatsapp": ("account_sid", "auth_token"),
    "msg91": ("authkey",),
    "twilio": ("account_sid", "auth_token"),
    "ssl_wireless": ("sid", "api_token"),
    "sendgrid": ("api_key",),
    "ses": ("access_key_id", "secret_access_key"),
    "smtp": ("username", "password"),
}
# Whose callbacks come in one of several versions, as the account's owner chose at the vendor.
CALLBACK_FORMATS = ("v2", "v3")
CHOOSING_FORMAT = ("gupshup", "msg91")


class AccountError(Exception):
    """An account's definition cannot be used; the message says which field and why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """Rates are shares of 1; delays count from acceptance, in milliseconds.

    ``rate_per_second`` counts requests, with bursts up to one second's worth; null is no limit.
    ``callbacks`` false owes none, for benches of the sending side. ``callback_format`` is the
    version that Gupshup's and MSG91's have; ``billing_events`` has Gupshup tell of charges, which
    nobody hears of without asking.
    ``reference_arg`` is the custom argument or tag of a mail that carries the client's own id.
    """

    name: str
    provider: str
    credentials: Mapping[str, str]
    webhook_url: str = ""
    display_name: str = ""
    callbacks: bool = True
    callback_format: str = "v2"
    billing_events: bool = False
    rate_per_second: int | None = None
    latency_ms: int = 0
    failure_rate: float = 0.0
    delivered_rate: float = 1.0
    read_rate: float = 1.0
    sent_delay_ms: int = 200
    delivered_delay_ms: int = 800
    read_delay_ms: int = 3000
    template_review_ms: int = 1500
    reference_arg: str = "message_id"

    @classmethod
    def from_json(cls, name: str, body: Any) -> "Account":
        """Check a definition as it came in. Raises AccountError."""
        if not isinstance(body, dict):
            raise AccountError("An account is a JSON object.")
        unknown = body.keys() - {field.name for field in dataclasses.fields(cls)} - {"name"}
        if unknown:
            raise AccountError(f"Unknown field: {', '.join(sorted(unknown))}.")
        provider = body.get("provider")
        if not isinstance(provider, str) or provider not in REQUIRED_CREDENTIALS:
            raise AccountError(f"provider must be one of {', '.join(REQUIRED_CREDENTIALS)}.")
        credentials = body.get("credentials")
        if not isinstance(credentials, dict) or not all(
            isinstance(value, str) for value in credentials.values()
        ):
            raise AccountError("credentials must be an object of strings.")
        missing = [key for key in REQUIRED_CREDENTIALS[provider] if not credentials.get(key)]
        if missing:
            raise AccountError(f"credentials of {provider} need {', '.join(missing)}.")
        account = cls(**{**body, "name": name})
        account._check_values()
        return account

    def _check_values(self) -> None:
        for field in ("webhook_url", "display_name", "reference_arg"):
            if not isinstance(getattr(self, field), str):
                raise AccountError(f"{field} must be a string.")
        url = urlsplit(self.webhook_url)
        if self.webhook_url and (url.scheme not in ("http", "https") or not url.netloc):
            raise AccountError("webhook_url must be an http or https address.")
        for field in ("callbacks", "billing_events"):
            if not isinstance(getattr(self, field), bool):
                raise AccountError(f"{field} must be true or false.")
        if self.callback_format not in CALLBACK_FORMATS:
            raise AccountError(f"callback_format must be one of {', '.join(CALLBACK_FORMATS)}.")
        if self.callback_format != "v2" and self.provider not in CHOOSING_FORMAT:
            raise AccountError(f"{self.provider} has one format of callbacks only.")
        if self.billing_events and self.provider != "gupshup":
            raise AccountError(f"{self.provider} has no billing events.")
        rate = self.rate_per_second
        if rate is not None and (not isinstance(rate, int) or isinstance(rate, bool) or rate < 1):
            raise AccountError("rate_per_second must be a positive whole number or null.")
        for field in (
            "latency_ms",
            "sent_delay_ms",
            "delivered_delay_ms",
            "read_delay_ms",
            "template_review_ms",
        ):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise AccountError(f"{field} must be a whole number of milliseconds, 0 or more.")
        for field in ("failure_rate", "delivered_rate", "read_rate"):
            value = getattr(self, field)
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
                raise AccountError(f"{field} must be a number from 0 to 1.")

    def accepts(self, credential: str, given: str) -> bool:
        return hmac.compare_digest(self.credentials[credential].encode(), given.encode())

    @property
    def template_owner(self) -> str:
        """Whose templates it sends: Meta's hang on the business account, shared by its numbers."""
        return self.credentials["waba_id"] if self.provider == "meta" else self.name


class RequestBudget:
    """A token bucket that holds at most one second's worth of requests."""

    def __init__(self, rate_per_second: int) -> None:
        self.rate = rate_per_second
        self._tokens = float(rate_per_second)
        self._filled_at = time.monotonic()

    def take(self) -> float:
        """Take one request. Returns 0, or the seconds until there is one to take."""
        now = time.monotonic()
        self._tokens = min(self.rate, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self.rate
        self._tokens -= 1
        return 0.0


class Accounts:
    """All accounts, kept in the database so that a restart knows them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_name: dict[str, Account] = {}
        self._by_identity: dict[tuple[str, str], Account] = {}
        self._budgets: dict[str, RequestBudget] = {}
        for row in database.rows("SELECT name, body FROM account"):
            self._index(Account.from_json(row["name"], json.loads(row["body"])))

    def put(self, account: Account) -> None:
        """Create or replace. Raises AccountError when another account has its identity."""
        holder = self.identified(account.provider, self._identity(account))
        if holder is not None and holder.name != account.name:
            raise AccountError(
                f"{REQUIRED_CREDENTIALS[account.provider][0]} belongs to account {holder.name}."
            )
        self._database.write(
            "INSERT INTO account VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            (account.name, json.dumps(dataclasses.asdict(account))),
        )
        former = self._by_name.get(account.name)
        if former is not None:
            del self._by_identity[former.provider, self._identity(former)]
        self._index(account)

    def _index(self, account: Account) -> None:
        self._by_name[account.name] = account
        self._by_identity[account.provider, self._identity(account)] = account
        self._budgets.pop(account.name, None)
        if account.rate_per_second is not None:
            self._budgets[account.name] = RequestBudget(account.rate_per_second)

    @staticmethod
    def _identity(account: Account) -> str:
        return account.credentials[REQUIRED_CREDENTIALS[account.provider][0]]

    def named(self, name: str) -> Account | None:
        return self._by_name.get(name)

    def identified(self, provider: str, identity: str) -> Account | None:
        return self._by_identity.get((provider, identity))

    def all(self) -> Iterable[Account]:
        return list(self._by_name.values())

    def seconds_to_wait(self, account: Account) -> float:
        """Take one request from the account's rate; 0 when it may go now."""
        budget = self._budgets.get(account.name)
        return budget.take() if budget is not None else 0.0
