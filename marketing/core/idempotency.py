"""Idempotency keys: the response is stored in the transaction of the work it answers for."""

import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Callable
from typing import Any

import orjson
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError

from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, IdempotencyMismatch
from marketing.core.ids import lower_bound
from marketing.core.models import IdempotencyRecord
from marketing.core.prepared import kept_cursor, send_later
from marketing.core.sentences import gettext as _
from marketing.core.tenancy import current_tenant_id
from marketing.core.whole import whole

# The HTTP contract promises 24 hours; a weekend's clock or a queue may add to them.
KEPT = dt.timedelta(hours=48)


# Bytes. Less takes longer to compress than to write.
LONG = 1_000
# The first byte of a zlib stream (RFC 1950), which is an "x".
COMPRESSED = b"\x78"

# The timeout is set back where the row is made, which is after any wait for it.
CLAIM = """
WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '200ms', true))
INSERT INTO core_idempotencyrecord (tenant_id, client, key, request_hash)
SELECT %s, %s, %s, %s FROM patience
ON CONFLICT DO NOTHING
RETURNING set_config('lock_timeout', '0', true)
"""
KEEP = """
UPDATE core_idempotencyrecord SET status = %s, response = %s
WHERE tenant_id = %s AND client = %s AND key = %s
"""


class StillRunning(DomainError):
    code, name, http_status = "MARKETING_409", "STILL_RUNNING", 409
    default_message = "The first request with this Idempotency-Key is still running."


def run_once(
    *, actor: Actor, key: str, operation: str, body: bytes, work: Callable[[], tuple[int, Any]]
) -> tuple[int, Any]:
    """Do `work` once for this client, key and body, and answer repeats with the first answer.

    Returns `(status, data)`. Raises `IdempotencyMismatch` when the key came with another
    request before, `StillRunning` while the first one holds the key. An error raised by
    `work` leaves no record: the caller may try again.
    """
    client = str(actor.api_key.pk if actor.api_key else actor.user_id)
    digest = hashlib.sha256(operation.encode() + b"\n" + body).digest()
    with whole():
        if not _claim(client, key, digest):
            record = IdempotencyRecord.objects.get(client=client, key=key)
            if bytes(record.request_hash) != digest:
                raise IdempotencyMismatch(_("This Idempotency-Key was used with another body."))
            if record.status is not None:
                return record.status, _read(bytes(record.response or b"null"))
        status, data = work()
        _keep(client, key, status, data)
        return status, data


def forget_old() -> int:
    """Delete the open tenant's responses that nobody can ask for any more; returns how many.

    They hold what was answered, names and numbers of people included.
    """
    old = IdempotencyRecord.objects.filter(pk__lt=lower_bound(clock.now() - KEPT))
    count, _rows = old.delete()
    return count


def _claim(client: str, key: str, digest: bytes) -> bool:
    """Whether the key is ours; a competitor that holds it makes this wait at most 200 ms."""
    with kept_cursor() as cursor:
        try:
            cursor.execute(CLAIM, [current_tenant_id(), client, key, digest])
        except OperationalError as error:
            raise StillRunning(details={"retryAfter": 1}) from error
        return cursor.fetchone() is not None


def _keep(client: str, key: str, status: int, data: Any) -> None:
    """The answer, as its JSON travels; compressed where it is long."""
    try:
        text = orjson.dumps(
            data, default=DjangoJSONEncoder().default, option=orjson.OPT_PASSTHROUGH_DATETIME
        )
    except TypeError:  # numbers of any size, keys that are no texts
        text = json.dumps(data, cls=DjangoJSONEncoder).encode()
    if len(text) > LONG:
        text = zlib.compress(text, level=1)
    send_later(KEEP, [status, text, current_tenant_id(), client, key])


def _read(response: bytes) -> Any:
    """What `_keep` wrote: no JSON begins as what is compressed does."""
    return json.loads(zlib.decompress(response) if response.startswith(COMPRESSED) else response)
