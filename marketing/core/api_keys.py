"""API keys of the chain's other modules: shown once, kept as a hash."""

import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from marketing.core.errors import NotAuthenticated
from marketing.core.models import ApiKey, Tenant
from marketing.core.prepared import kept_cursor

# Every call of every till begins with it: put together once, not for each.
KEY_COLUMNS = [field.column for field in ApiKey._meta.concrete_fields]
TENANT_COLUMNS = [field.column for field in Tenant._meta.concrete_fields]
LIVE_KEY = f"""
SELECT {", ".join(f"api_key.{name}" for name in KEY_COLUMNS)},
       {", ".join(f"tenant.{name}" for name in TENANT_COLUMNS)}
FROM {ApiKey._meta.db_table} api_key JOIN {Tenant._meta.db_table} tenant
    ON tenant.id = api_key.tenant_id
WHERE api_key.prefix = %(prefix)s AND api_key.revoked_at IS NULL
  AND (api_key.expires_at IS NULL OR api_key.expires_at > %(now)s) AND tenant.is_active
"""  # noqa: S608  names of our own columns


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
    api_key = _live_key(prefix, now)
    digest = hashlib.sha256(secret.encode()).digest()
    if api_key is None or not hmac.compare_digest(bytes(api_key.secret_hash), digest):
        raise NotAuthenticated("This API key is unknown, expired or revoked.")
    if api_key.last_used_at is None or (now - api_key.last_used_at).total_seconds() > 60:
        ApiKey.objects.filter(pk=api_key.pk).update(last_used_at=now)
    return api_key


def _live_key(prefix: str, now: dt.datetime) -> ApiKey | None:
    if "\0" in prefix:
        return None
    with kept_cursor() as cursor:
        cursor.execute(LIVE_KEY, {"prefix": prefix, "now": now})
        row = cursor.fetchone()
    if row is None:
        return None
    names = [field.attname for field in ApiKey._meta.concrete_fields]
    api_key = ApiKey.from_db(connection.alias, names, row[: len(names)])
    names = [field.attname for field in Tenant._meta.concrete_fields]
    api_key.tenant = Tenant.from_db(connection.alias, names, row[-len(names) :])
    return api_key
