"""Taking a webhook in: verified, stored raw, committed before it is answered.

Requests that come while rows are being written wait, and are written by the next statement
together: one commit for as many as there are.
"""

import threading
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from marketing.core.errors import Forbidden
from marketing.core.prepared import keep_statements
from marketing.delivery.providers.base import Account, Call
from marketing.delivery.tasks import nudge_consumer
from marketing.delivery.webhooks.addresses import Addressee

NUDGE_SECONDS = 0.2

# Each row names its tenant to PostgreSQL, for the length of the statement, before row-level
# security looks at it.
STORE = """
INSERT INTO delivery_webhookevent (tenant_id, account_id, provider, query, body)
SELECT set_config('app.tenant_id', v.tenant, true)::uuid, v.account, v.provider, v.query, v.body
FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::text[], %b::bytea[])
     AS v(tenant, account, provider, query, body)
"""


@dataclass(eq=False)
class _Arrival:
    row: tuple[str, uuid.UUID, str, str, bytes]
    is_settled: bool = False
    error: Exception | None = None


class Inbox:
    """The process's way into the inbox table, shared by its threads: one of them writes for all.

    The connection is its own: it is not asked before each request whether it is still there,
    and a lost one is opened anew once.
    """

    def __init__(self) -> None:
        self._connection: BaseDatabaseWrapper | None = None
        self._waiting: list[_Arrival] = []
        self._is_writing = False
        self._changed = threading.Condition()
        self._nudging = threading.Lock()

    def put(self, tenant_id: uuid.UUID, account_id: uuid.UUID, provider: str, call: Call) -> None:
        """Return when the request is committed. Raises what the database raised."""
        query = urlsplit(call.url).query
        mine = _Arrival((str(tenant_id), account_id, provider, query, call.body))
        with self._changed:
            self._waiting.append(mine)
            self._changed.wait_for(lambda: mine.is_settled or not self._is_writing)
            if not mine.is_settled:
                self._is_writing = True
                together, self._waiting = self._waiting, []
        if not mine.is_settled:
            self._write(together)
        if mine.error:
            raise mine.error
        self._nudge_soon()

    def _write(self, together: list[_Arrival]) -> None:
        error: Exception | None = None
        try:
            self._store([arrival.row for arrival in together])
        except Exception as caught:
            error = caught
        with self._changed:
            for arrival in together:
                arrival.is_settled, arrival.error = True, error
            self._is_writing = False
            self._changed.notify_all()

    def _store(self, rows: list[tuple[str, uuid.UUID, str, str, bytes]]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        if self._connection is None:
            self._connection = connection.copy()
            keep_statements(self._connection)
            self._connection.inc_thread_sharing()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(STORE, columns)
        except (OperationalError, InterfaceError):
            self._connection.close()
            with self._connection.cursor() as cursor:
                cursor.execute(STORE, columns)

    def _nudge_soon(self) -> None:
        """Wake the consumer a moment after the last request; a broker away delays no answer."""
        if self._nudging.acquire(blocking=False):
            threading.Thread(target=self._nudge, daemon=True).start()

    def _nudge(self) -> None:
        time.sleep(NUDGE_SECONDS)
        self._nudging.release()
        nudge_consumer()


_inbox = Inbox()


def take_in(*, addressee: Addressee, call: Call) -> None:
    """Store a verified request and wake the consumer. Raises `Forbidden`: not the vendor's."""
    account = addressee.account
    if not addressee.webhook.verify(account, call):
        raise Forbidden("The signature does not match.")
    keep(addressee.tenant_id, account, call)


def keep(tenant_id: uuid.UUID, account: Account, call: Call) -> None:
    """Store what is known to be the vendor's and wake the consumer."""
    _inbox.put(tenant_id, account.id, account.provider, call)
