"""API keys of the chain's other modules: shown once, kept as a hash."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from marketing.core.errors import NotAuthenticated
from marketing.core.models import ApiKey


def issue_api_key(
    *,
    tenant_id: uuid.UUID,
    name: str,
    scopes: Sequence[str],
    branch_ids: Sequence[uuid.UUID] | None,
    terminal: str = "",
) -> tuple[ApiKey, str]:
    """Make a key; returns it with the text to hand over, which cannot be read again."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    api_key = ApiKey.objects.create(
        tenant_id=tenant_id,
        name=name,
        terminal=terminal,
        prefix=prefix,
        secret_hash=hashlib.sha256(secret.encode()).digest(),
        scopes=list(scopes),
        branch_ids=None if branch_ids is None else list(branch_ids),
    )
    return api_key, f"{prefix}.{secret}"


def authenticate(text: str) -> ApiKey:
    """The live key that `prefix.secret` names. Raises `NotAuthenticated`."""
    now = timezone.now()
    prefix, _, secret = text.partition(".")
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    keys = ApiKey.objects.select_related("tenant").filter(live, tenant__is_active=True)
    api_key = keys.filter(prefix=prefix).first()
    digest = hashlib.sha256(secret.encode()).digest()
    if api_key is None or not hmac.compare_digest(bytes(api_key.secret_hash), digest):
        raise NotAuthenticated("This API key is unknown, expired or revoked.")
    if api_key.last_used_at is None or (now - api_key.last_used_at).total_seconds() > 60:
        ApiKey.objects.filter(pk=api_key.pk).update(last_used_at=now)
    return api_key
