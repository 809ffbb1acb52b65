"""How the counter waits: a quarter of a second, then it says so (offers.md, section 2)."""

import contextlib
import uuid
from collections.abc import Iterator
from contextvars import ContextVar

import psycopg.errors
from django.db import IntegrityError, OperationalError

from marketing.core.prepared import kept_cursor, send_later
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.errors import Busy

PATIENCE = "250ms"
# Of a merge beside a bill, one waits for the row of the other; where both do, the till is told.
# Bills share the lock, a change of an offer has it alone: so the limits a bill goes by are those
# its counters are kept for, from the first to the last statement.
_BILLS = "SELECT set_config('lock_timeout', %s, true), pg_advisory_xact_lock_shared(%s)"
_BESIDE = "SELECT pg_advisory_xact_lock_shared(%s)"
_CHANGE = "SELECT set_config('lock_timeout', %s, true), pg_advisory_xact_lock(%s)"
_CHANGE_WAITS = "5s"
# First, so that whoever waits for another change, or a batch, keeps no till waiting meanwhile.
_MARK = """
    WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', %s, true))
    SELECT FROM patience, coupons_cataloguemark WHERE tenant_id = %s
    FOR UPDATE OF coupons_cataloguemark
"""
# A call may be made of others: the lock is had once.
_in_call: ContextVar[bool] = ContextVar("in_counter_call", default=False)
_WAITED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


def _key(tenant_id: uuid.UUID) -> int:
    """63 bits of the chain's id: of another chain's lock we would merely wait."""
    return (tenant_id.int ^ (tenant_id.int >> 64)) & 0x7FFF_FFFF_FFFF_FFFF


@contextlib.contextmanager
def counter_call() -> Iterator[None]:
    """What a till waits for. Raises `Busy`, with nothing done, where a lock is not had in time."""
    if _in_call.get():
        yield
        return
    token = _in_call.set(True)
    try:
        with _busy():
            # Had before the first statement of the bill, with which it travels.
            send_later(_BILLS, [PATIENCE, _key(current_tenant_id())])
            yield
    finally:
        _in_call.reset(token)


def beside_bills() -> None:
    """Have the lock that bills share, however long a change of terms holds it."""
    with kept_cursor() as cursor:
        cursor.execute(_BESIDE, [_key(current_tenant_id())])


@contextlib.contextmanager
def change_of_offers() -> Iterator[None]:
    """A change of terms: alone, after the bills under way."""
    with _busy():
        with kept_cursor() as cursor:
            cursor.execute(_MARK, [_CHANGE_WAITS, current_tenant_id()])
            cursor.execute(_CHANGE, [_CHANGE_WAITS, _key(current_tenant_id())])
        yield


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, _WAITED):
            raise Busy() from error
        raise
    except IntegrityError as error:
        # Somebody else did the same at this moment: asked again, it is found done.
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            raise Busy() from error
        raise
