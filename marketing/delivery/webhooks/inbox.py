"""Taking a webhook in: find its account, verify it, store it raw."""

from urllib.parse import urlsplit

from django.db import transaction

from marketing.core.errors import Forbidden, NotFound
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import WebhookEvent
from marketing.delivery.providers.base import Call
from marketing.delivery.registry import account_of, webhook_of
from marketing.delivery.tasks import nudge_consumer
from marketing.policy.models import ProviderAccount, WebhookAddress


def find_address(provider: str, token: str) -> WebhookAddress:
    """The webhook address that the URL names. Raises `NotFound`."""
    address = WebhookAddress.objects.filter(token=token).first()
    if address is None:
        raise NotFound()
    with tenant_scope(address.tenant_id):
        if not ProviderAccount.objects.filter(pk=address.account_id, provider=provider).exists():
            raise NotFound()
    return address


def take_in(*, address: WebhookAddress, call: Call) -> None:
    """Store a verified request and wake the consumer. Raises `Forbidden`: not the vendor's."""
    with tenant_scope(address.tenant_id):
        row = ProviderAccount.objects.get(pk=address.account_id)
        if not webhook_of(row.provider).verify(account_of(row), call):
            raise Forbidden("The signature does not match.")
        WebhookEvent.objects.create(
            account_id=row.pk,
            provider=row.provider,
            query=urlsplit(call.url).query,
            body=call.body,
        )
        transaction.on_commit(nudge_consumer)


def is_verify_token(*, address: WebhookAddress, token: str) -> bool:
    """Whether Meta's subscription check names the token we gave it."""
    with tenant_scope(address.tenant_id):
        row = ProviderAccount.objects.get(pk=address.account_id)
        return bool(token) and row.credentials.get("verify_token") == token
