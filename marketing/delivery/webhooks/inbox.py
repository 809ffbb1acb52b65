"""Taking a webhook in: verified, stored raw, committed before it is answered.

Requests that come while rows are being written wait, and are written by the next statement
together: one commit for as many as there are.
"""

import threading
import time
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import connection

from marketing.core.errors import Forbidden
from marketing.delivery.providers.base import Call
from marketing.delivery.tasks import nudge_consumer
from marketing.delivery.webhooks.addresses import Addressee

NUDGE_SECONDS = 0.2

# Each row names its tenant to PostgreSQL, for the length of the statement, before row-level
# security looks at it.
STORE = """
INSERT INTO delivery_webhookevent (tenant_id, account_id, provider, query, body)
SELECT set_config('app.tenant_id', v.tenant, true)::uuid, v.account, v.provider, v.query, v.body
FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::text[], %s::bytea[])
     AS v(tenant, account, provider, query, body)
"""


@dataclass(eq=False)
class _Arrival:
    row: tuple[str, uuid.UUID, str, str, bytes]
    is_settled: bool = False
    error: Exception | None = None


class Inbox:
    """The process's way into the inbox table, shared by its threads."""

    def __init__(self) -> None:
        self._waiting: list[_Arrival] = []
        self._writing = threading.Lock()
        self._nudging = threading.Lock()

    def put(self, tenant_id: uuid.UUID, account_id: uuid.UUID, provider: str, call: Call) -> None:
        """Return when the request is committed. Raises what the database raised."""
        query = urlsplit(call.url).query
        mine = _Arrival((str(tenant_id), account_id, provider, query, call.body))
        self._waiting.append(mine)
        with self._writing:
            if not mine.is_settled:
                self._write()
        if mine.error:
            raise mine.error
        self._nudge_soon()

    def _write(self) -> None:
        # One list for good: a swapped one could still be appended to by who holds it.
        arrived = self._waiting[:]
        del self._waiting[: len(arrived)]
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    STORE, [list(c) for c in zip(*(a.row for a in arrived), strict=True)]
                )
        except Exception as error:
            for arrival in arrived:
                arrival.error = error
        for arrival in arrived:
            arrival.is_settled = True

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
    _inbox.put(addressee.tenant_id, account.id, account.provider, call)
