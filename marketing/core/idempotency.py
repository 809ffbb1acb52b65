"""Idempotency keys: the response is stored in the transaction of the work it answers for."""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction

from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, IdempotencyMismatch
from marketing.core.ids import lower_bound
from marketing.core.models import IdempotencyRecord

# The HTTP contract promises 24 hours; a weekend's clock or a queue may add to them.
KEPT = dt.timedelta(hours=48)


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
    mine = IdempotencyRecord.objects.filter(client=client, key=key)
    with transaction.atomic():
        record = mine.first()
        if record is None:
            record = _claim(client, key, digest)
        if bytes(record.request_hash) != digest:
            raise IdempotencyMismatch()
        if record.status is not None:
            return record.status, record.response
        status, data = work()
        mine.update(status=status, response=data)
        return status, data


def forget_old() -> int:
    """Delete the open tenant's responses that nobody can ask for any more; returns how many.

    They hold what was answered, names and numbers of people included.
    """
    old = IdempotencyRecord.objects.filter(pk__lt=lower_bound(clock.now() - KEPT))
    count, _ = old.delete()
    return count


def _claim(client: str, key: str, digest: bytes) -> IdempotencyRecord:
    """Insert the record; a competitor that holds the key makes this wait at most 200 ms."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
            made = IdempotencyRecord.objects.create(client=client, key=key, request_hash=digest)
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = 0")
            return made
    except IntegrityError:
        return IdempotencyRecord.objects.get(client=client, key=key)
    except OperationalError as error:
        raise StillRunning(details={"retryAfter": 1}) from error
