"""Provider accounts: opened, changed, made the default, stopped by their circuit breaker."""

import datetime as dt
import ipaddress
import re
import secrets
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from customers import services as customers
from customers.models import Channel
from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant_id
from marketing.policy.defaults import ensure_rate_cards
from marketing.policy.models import ProviderAccount, WebhookAddress
from marketing.policy.vendors import VENDORS, AccountField, Vendor

WEBHOOK_TOKEN_BYTES = 32


@transaction.atomic
def create_account(
    *, actor: Actor, provider: str, values: Mapping[str, Any], require_all: bool = True
) -> ProviderAccount:
    """Open an account at a vendor, with the address for its callbacks.

    `values`: name, base_url (the vendor's own when left out), credentials, sender,
    rate_per_second, max_concurrency, portfolio, portfolio_limit, is_default. A channel's first
    account is its default. Raises `ValidationFailed` naming `credentials.<key>` and
    `sender.<key>` too; `require_all` False lets an account begin without what the vendor needs
    to send. The chain's price list gets the vendor's prices where it lacks them.
    """
    actor.require("config.change")
    vendor = VENDORS[provider]
    account = ProviderAccount(provider=provider, channel=vendor.channel, base_url=vendor.base_url)
    of_channel = ProviderAccount.objects.filter(channel=vendor.channel, is_default=True)
    is_default = values.get("is_default", False) or not of_channel.exists()
    ensure_rate_cards()
    _apply(account, values, require_all)
    account.save()
    WebhookAddress.objects.create(
        token=secrets.token_urlsafe(WEBHOOK_TOKEN_BYTES),
        tenant_id=current_tenant_id(),
        account_id=account.pk,
    )
    audit.record(actor, "account.create", account, {"provider": provider, "name": account.name})
    if is_default:
        set_default_account(actor=actor, account=account)
    return account


@transaction.atomic
def update_account(
    *,
    actor: Actor,
    account: ProviderAccount,
    values: Mapping[str, Any],
    require_all: bool = True,
) -> ProviderAccount:
    """Change an account. A credential or sender value that is not named stays as it is.

    In another portfolio of WhatsApp's it knows people by other user ids, or others know them.
    """
    actor.require("config.change")
    account = ProviderAccount.objects.select_for_update().get(pk=account.pk)
    plain = {name: value for name, value in values.items() if name not in ("credentials",)}
    changes = audit.difference(account, {k: v for k, v in plain.items() if k in PLAIN_FIELDS})
    if values.get("sender"):
        changes["sender"] = [account.sender, account.sender | dict(values["sender"])]
    if values.get("credentials"):
        changes["credentials"] = sorted(values["credentials"])
    _apply(account, values, require_all)
    account.save()
    if changes:
        audit.record(actor, "account.update", account, changes)
    if "portfolio" in changes and account.channel == Channel.WHATSAPP:
        _use_whatsapp_ids()
    return account


@transaction.atomic
def set_default_account(*, actor: Actor, account: ProviderAccount) -> None:
    """Send the channel's messages by this account from now on.

    People are written to by the WhatsApp user ids that its business portfolio knows. The event
    `account.made_default` lets go on what waited for the former one and was not frozen yet.
    """
    actor.require("config.change")
    if not account.is_active:
        raise ValidationFailed(fields={"is_default": [_("Switch the account on first.")]})
    of_channel = ProviderAccount.objects.filter(channel=account.channel)
    known = list(of_channel.select_for_update().order_by("pk"))
    former = next((each for each in known if each.is_default), None)
    of_channel.exclude(pk=account.pk).update(is_default=False)
    of_channel.filter(pk=account.pk).update(is_default=True)
    account.is_default = True
    audit.record(actor, "account.set_default", account, {"channel": account.channel})
    events.record("account.made_default", {"accountId": account.pk})
    if account.channel == Channel.WHATSAPP:
        _use_whatsapp_ids(former)


def _use_whatsapp_ids(former: ProviderAccount | None = None) -> None:
    """Those of the sending account's portfolio; `former` sent until now."""
    accounts = ProviderAccount.objects.filter(channel=Channel.WHATSAPP)
    sender = accounts.filter(is_default=True).first()
    if sender is None:
        return
    customers.use_whatsapp_ids(
        heard_by=[each.pk for each in accounts if not each.is_of_another_portfolio(sender)],
        former=former.pk if former and former.is_of_another_portfolio(sender) else None,
    )


def open_circuit(
    *,
    actor: Actor,
    account: ProviderAccount,
    reason: str,
    retry_at: dt.datetime | None = None,
) -> bool:
    """Stop sending by this account until somebody closes the circuit, or until `retry_at`.

    Returns whether this call opened it; of several that try, the first one's reason stays.
    """
    opened = ProviderAccount.objects.filter(pk=account.pk, circuit_reason="").update(
        circuit_reason=reason[:255], circuit_opened_at=clock.now(), circuit_retry_at=retry_at
    )
    if opened:
        audit.record(actor, "account.open_circuit", account, {"reason": reason})
    return bool(opened)


@transaction.atomic
def close_circuit(*, actor: Actor, account: ProviderAccount) -> bool:
    """Let the account send again. Returns whether its circuit was open.

    The event `account.circuit_closed` lets go on what waited for it.
    """
    actor.require("config.change")
    closed = (
        ProviderAccount.objects.filter(pk=account.pk)
        .exclude(circuit_reason="")
        .update(circuit_reason="", circuit_opened_at=None, circuit_retry_at=None)
    )
    if closed:
        audit.record(actor, "account.close_circuit", account, {"reason": account.circuit_reason})
        events.record("account.circuit_closed", {"accountId": account.pk})
    return bool(closed)


def close_due_circuits() -> None:
    """Close the circuits of the open tenant whose time to try again has come."""
    due = ProviderAccount.objects.filter(circuit_retry_at__lte=clock.now())
    for account in due.exclude(circuit_reason="").order_by("pk"):
        close_circuit(actor=Actor.system(current_tenant_id()), account=account)


def note_mailbox(*, account_id: uuid.UUID, fault: str) -> None:
    """Note what kept the account's mailbox from being read just now; empty: nothing did.

    The words may be a server's own, with bytes in them that PostgreSQL keeps in no text.
    """
    fault = fault.replace("\0", "")[:500]
    accounts = ProviderAccount.objects.filter(pk=account_id)
    if fault:
        since = Coalesce("mailbox_failing_since", Value(clock.now()))
        accounts.update(mailbox_fault=fault, mailbox_failing_since=since)
    else:
        accounts.update(mailbox_fault="", mailbox_failing_since=None)


def encrypt_anew() -> int:
    """Write every account's credentials under the newest key. Returns how many there are."""
    accounts = ProviderAccount.objects.select_for_update().order_by("pk")
    for account in accounts:
        account.save(update_fields=["credentials"])
    return len(accounts)


PLAIN_FIELDS = (
    "name",
    "base_url",
    "rate_per_second",
    "max_concurrency",
    "is_active",
    "portfolio",
    "portfolio_limit",
)


def _apply(account: ProviderAccount, values: Mapping[str, Any], require_all: bool) -> None:
    for name in PLAIN_FIELDS:
        if name in values:
            setattr(account, name, values[name])
    vendor = VENDORS[account.provider]
    errors: dict[str, list[str]] = {}
    for group, fields in (("credentials", vendor.credentials), ("sender", vendor.sender)):
        stored = getattr(account, group) | dict(values.get(group, {}))
        setattr(account, group, {key: value for key, value in stored.items() if value})
        errors |= _faults(group, fields, stored, require_all)
    if require_all and vendor.any_of and not any(account.sender.get(k) for k in vendor.any_of):
        labels = [str(field.label) for field in vendor.sender if field.key in vendor.any_of]
        message = _("Give one of these: %(labels)s.") % {"labels": ", ".join(labels)}
        errors[f"sender.{vendor.any_of[0]}"] = [message]
    if account.portfolio_limit is not None and not account.portfolio:
        errors["portfolio"] = [_("Name the portfolio that the limit is for.")]
    errors |= _address_faults(account, vendor)
    if account.is_default and not account.is_active:
        errors["is_active"] = [_("Make another account the default one first.")]
    try:
        account.full_clean(exclude=["credentials", "sender"])
    except ValidationError as error:
        errors |= error.message_dict
    if errors:
        raise ValidationFailed(fields=errors)


def _faults(
    group: str, fields: tuple[AccountField, ...], stored: Mapping[str, Any], require_all: bool
) -> dict[str, list[str]]:
    errors = {
        f"{group}.{key}": [_("The vendor has no such value.")]
        for key in stored.keys() - {field.key for field in fields}
    }
    for field in fields:
        value = stored.get(field.key, "")
        if not isinstance(value, str):
            errors[f"{group}.{field.key}"] = [_("Give a text.")]
        elif not value:
            if require_all and field.is_required:
                errors[f"{group}.{field.key}"] = [_("The vendor needs this.")]
        elif field.choices and value not in dict(field.choices):
            known = ", ".join(key for key, _label in field.choices if key)
            errors[f"{group}.{field.key}"] = [_("One of %(all)s.") % {"all": known}]
        elif field.pattern and not re.fullmatch(field.pattern, value):
            errors[f"{group}.{field.key}"] = [
                _("This cannot be right. %(help)s") % {"help": field.help_text}
            ]
    return errors


def _address_faults(account: ProviderAccount, vendor: Vendor) -> dict[str, list[str]]:
    """An account must not make Parlour's servers call addresses of their own network.

    Mail relays there are allowed by those who run Parlour, in `SMTP_RELAYS`.
    """
    errors: dict[str, list[str]] = {}
    base_url = account.base_url.rstrip("/")
    own_hosts = {*settings.SMTP_RELAYS, urlsplit(settings.SANDBOX_URL).hostname}
    if base_url != settings.SANDBOX_URL and (base_url or vendor.base_url):
        parts = urlsplit(base_url)
        if parts.scheme != "https" or not _is_public_name(parts.hostname or ""):
            errors["base_url"] = [_("Give the vendor's https address.")]
    for key in ("host", "bounce_host"):
        host = str(account.sender.get(key, ""))
        if host and host not in own_hosts and not _is_public_name(host):
            errors[f"sender.{key}"] = [_("Give the server's public name.")]
    return errors


def _is_public_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".localhost"))
    return False
