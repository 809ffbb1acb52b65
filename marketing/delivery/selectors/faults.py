"""What went wrong, by cause: from the batches' counts of causes, never by a scan of messages.

Of each cause one message is looked up within the bounds of its batch's ids, for the class of the
error and the vendor's own words.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from marketing.core.tenancy import current_tenant_id
from marketing.delivery.models import MessageState, SendRun
from marketing.delivery.rules import may_be_retried

MOST_CAUSES = 200

CAUSES = """
    WITH causes AS (
        SELECT r.run_id, a.provider, r.state, r.code, sum(r.count) AS messages,
               sum(greatest(r.count - r.closed, 0)) AS open,
               (max(ARRAY[r.count - r.closed, r.batch_id]))[2] AS batch_id
        FROM delivery_batchreason r
        JOIN delivery_dispatchbatch b ON b.id = r.batch_id
        LEFT JOIN policy_provideraccount a ON a.id = b.account_id
        WHERE r.tenant_id = %(tenant)s AND r.run_id = ANY(%(runs)s)
          AND r.state = ANY(%(states)s) AND r.count > 0
        GROUP BY r.run_id, a.provider, r.state, r.code
    )
    SELECT c.run_id, coalesce(c.provider, ''), c.state, c.code, c.messages, c.open,
           coalesce(x.classes[1], ''), coalesce(x.details[1], ''), coalesce(x.customers, '{}')
    FROM (SELECT * FROM causes ORDER BY messages DESC LIMIT %(most)s) c
    JOIN delivery_dispatchbatch b ON b.id = c.batch_id
    LEFT JOIN LATERAL (
        SELECT array_agg(error_class) AS classes, array_agg(error_detail) AS details,
               array_agg(customer_id) AS customers
        FROM (
            SELECT m.error_class, m.error_detail, m.customer_id FROM delivery_message m
            WHERE m.batch_id = b.id AND m.id BETWEEN b.first_id AND b.last_id
              AND m.state = c.state AND m.fallback_id IS NULL AND m.discarded_at IS NULL
              AND m.error_code = c.code
            LIMIT 3
        ) m
    ) x ON true
    ORDER BY c.messages DESC, c.provider, c.code
"""


@dataclass(frozen=True)
class Cause:
    """Messages of a run that failed or are unknown for the same cause.

    `code` is the vendor's; `detail` the vendor's words about one of them.
    `open` were neither tried again nor given up. `customer_ids` are a few of their people.
    """

    run_id: uuid.UUID
    provider: str
    state: str
    code: str
    messages: int
    open: int
    error_class: str
    detail: str
    customer_ids: list[uuid.UUID]

    @property
    def key(self) -> str:
        """The same for the same cause in another run."""
        return f"{self.state}:{self.provider}:{self.code}"

    @property
    def may_be_retried(self) -> bool:
        return self.state == MessageState.FAILED and may_be_retried(self.error_class)


def causes_of(run_ids: Sequence[uuid.UUID], states: Sequence[str]) -> list[Cause]:
    """Why messages of the runs are in these states, most frequent first."""
    if not run_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            CAUSES,
            {
                "tenant": current_tenant_id(),
                "runs": list(run_ids),
                "states": list(states),
                "most": MOST_CAUSES,
            },
        )
        return [Cause(*row) for row in cursor.fetchall()]


def failures_of(run: SendRun) -> list[Cause]:
    """Failed and unknown messages of a run by cause, most frequent first."""
    return causes_of([run.pk], [MessageState.FAILED, MessageState.UNKNOWN])
