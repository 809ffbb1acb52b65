"""Accounts and templates made known to the sandbox provider, as vendors' dashboards would."""

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import F

from marketing.content.links import compile_sent
from marketing.content.models import TemplateVersion, WhatsAppStatus
from marketing.core.actor import Actor
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.policy import selectors as policy
from marketing.policy.models import Provider, ProviderAccount
from marketing.policy.services import update_account

TIMEOUT_SECONDS = 10
WHATSAPP_PROVIDERS = (Provider.META, Provider.GUPSHUP, Provider.TWILIO_WHATSAPP)
# How people answer: most read, a few never get it.
RATES = {"delivered_rate": 0.97, "read_rate": 0.72, "failure_rate": 0.01}


class SandboxRefused(OSError):
    """The sandbox answered, but not with yes; the message has its status and reason."""


@dataclass(frozen=True)
class Connection:
    """What the sandbox must know of one account."""

    account_id: uuid.UUID
    name: str
    definition: dict[str, Any]
    templates: list[dict[str, Any]]


def connect_sandbox(*, wait_seconds: float) -> int:
    """Tell the sandbox of every account that sends by it; returns how many there are.

    Its address may be another one than at the last start. Waits for it to answer. Raises
    OSError when it does not, or refuses.
    """
    _wait_until_it_answers(wait_seconds)
    connected = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant.pk):
            connections = _connections(tenant)
        for connection in connections:
            public = _put(f"accounts/{connection.name}", connection.definition)
            _put("templates", connection.templates)
            with tenant_scope(tenant.pk):
                _keep_what_it_told(tenant, connection, public)
        connected += len(connections)
    return connected


def _connections(tenant: Tenant) -> list[Connection]:
    """The sandbox's accounts: no other may be called without TLS."""
    actor = Actor.system(tenant.pk)
    found = []
    for account in policy.accounts().filter(base_url__startswith="http://"):
        if account.base_url != settings.SANDBOX_URL:
            values = {"base_url": settings.SANDBOX_URL}
            account = update_account(actor=actor, account=account, values=values)
        found.append(
            Connection(
                account_id=account.pk,
                name=_name(tenant, account),
                definition={
                    "provider": account.provider,
                    "credentials": _credentials(account),
                    "webhook_url": policy.webhook_url(account),
                    "display_name": tenant.name,
                    **RATES,
                },
                templates=_templates(tenant, account),
            )
        )
    return found


def _name(tenant: Tenant, account: ProviderAccount) -> str:
    return f"{tenant.slug}-{account.provider}-{account.pk.hex[-6:]}"


def _credentials(account: ProviderAccount) -> dict[str, str]:
    """All that the vendor would know the account by; the sandbox takes what it asks for."""
    known = {**account.credentials, **account.sender}
    return {
        key: value
        for key, value in known.items()
        if isinstance(value, str) and key != "webhook_public_key"
    }


def _templates(tenant: Tenant, account: ProviderAccount) -> list[dict[str, Any]]:
    """The newest versions of the channel's templates that the vendor has approved."""
    if account.provider not in (*WHATSAPP_PROVIDERS, Provider.MSG91):
        return []
    is_meta = account.provider == Provider.META
    newest = TemplateVersion.objects.select_related("template", "tenant").filter(
        number=F("template__version"), template__channel=account.channel
    )
    if account.provider in WHATSAPP_PROVIDERS:
        newest = newest.filter(whatsapp_status=WhatsAppStatus.APPROVED)
    return [
        {
            "provider": account.provider,
            "owner": account.sender["waba_id"] if is_meta else _name(tenant, account),
            "name": version.vendor_template(language),
            # MSG91 knows each language's text by an id of its own.
            "language": "" if account.provider == Provider.MSG91 else language,
            "body": _body(account, version, language),
        }
        for version in newest
        for language in version.contents
        if version.vendor_template(language)
    ]


def _body(account: ProviderAccount, version: TemplateVersion, language: str) -> dict[str, Any]:
    compiled = compile_sent(version).compiled
    if account.provider == Provider.MSG91:
        return {"text": compiled.vendor_text(language)}
    return {"components": compiled.meta_components(language)}


def _keep_what_it_told(tenant: Tenant, connection: Connection, public: dict[str, Any]) -> None:
    """The sandbox signs SendGrid's callbacks with a key of its own, and chooses its mail port."""
    account = policy.accounts().get(pk=connection.account_id)
    told: dict[str, dict[str, str]] = {}
    if key := public.get("webhook_public_key"):
        told["credentials"] = {"webhook_public_key": key}
    if port := public.get("smtp_port"):
        told["sender"] = {"host": public["smtp_host"], "port": str(port), "security": "none"}
    known = {"credentials": account.credentials, "sender": account.sender}
    news = {name: part for name, part in told.items() if not part.items() <= known[name].items()}
    if news:
        update_account(actor=Actor.system(tenant.pk), account=account, values=news)


def _wait_until_it_answers(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            _call("GET", "accounts")
            return
        except SandboxRefused:
            raise
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _put(path: str, body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = _call("PUT", path, json.dumps(body).encode())
    return answer


def _call(method: str, path: str, body: bytes | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310  the operator's own address
        f"{settings.SANDBOX_URL}/_sandbox/{path}",
        data=body,
        method=method,
        headers={"Authorization": f"Bearer {settings.SANDBOX_SECRET}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise SandboxRefused(f"{error.code} {error.read().decode()}") from error
