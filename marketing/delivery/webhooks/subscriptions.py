"""Telling a vendor that its callbacks are wanted here: a GET, outside every transaction."""

import logging
import re
import uuid
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from marketing.core.errors import ProviderFailed
from marketing.core.tenancy import tenant_scope
from marketing.delivery import http
from marketing.delivery.models import WebhookEvent
from marketing.delivery.providers.base import Request
from marketing.policy.models import Provider, ProviderAccount

logger = logging.getLogger(__name__)

# Only the vendor's own host is asked, whatever the request said.
HOSTS = {Provider.SES: re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")}


def confirm(
    *, tenant_id: uuid.UUID, event_id: uuid.UUID, account_id: uuid.UUID, urls: Sequence[str]
) -> None:
    """Confirm what the stored request asks for; it is done then, else it is tried again."""
    with tenant_scope(tenant_id):
        account = ProviderAccount.objects.filter(pk=account_id).first()
    error = ""
    for url in urls:
        if account is None or not _is_vendors(url, account):
            error = "not an address of the vendor's"
            continue
        try:
            status = http.ask(Request(url=url, headers={}, body=b"", method="GET")).status
        except ProviderFailed:
            return
        if status >= 300:
            logger.warning("subscription of webhook %s answered %d", event_id, status)
            return
    with tenant_scope(tenant_id):
        WebhookEvent.objects.filter(pk=event_id).update(
            state=WebhookEvent.State.UNREADABLE if error else WebhookEvent.State.APPLIED,
            error=error,
            applied_at=timezone.now(),
        )


def _is_vendors(url: str, account: ProviderAccount) -> bool:
    parts = urlsplit(url)
    host = HOSTS.get(Provider(account.provider))
    if parts.scheme == "https" and host and host.fullmatch(parts.netloc):
        return True
    sandbox = f"{settings.SANDBOX_URL}/"
    return url.startswith(sandbox) and f"{account.base_url}/".startswith(sandbox)
