"""Leases on batches: who may send what is in one, for how long, and whose turn it is."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import SendRun
from marketing.delivery.rules import LEASE
from marketing.delivery.services.runs import finish_run_if_done, skip_waiting


@dataclass(frozen=True)
class Lease:
    """A batch that is ours while nobody else has taken it with another token.

    `waiting` is how many of its messages were queued or held when it was taken.
    """

    batch_id: int
    tenant_id: uuid.UUID
    run_id: uuid.UUID
    account_id: uuid.UUID
    channel: str
    step: int
    lane: uuid.UUID
    waiting: int
    first_id: uuid.UUID
    last_id: uuid.UUID
    token: uuid.UUID


class Marked(NamedTuple):
    """A message that may now be sent: marked `sending`, its cap slot taken."""

    tenant_id: uuid.UUID
    variables: dict[str, str]
    id: uuid.UUID
    customer_id: uuid.UUID
    address: str
    language: str
    version_id: uuid.UUID
    segments: int
    tries: int


# The runs that have batches to send are found by jumping from one to the next in the index; of
# each only its next few batches are looked at, so that a run of a million costs what one of a
# hundred does. Who is being served least comes first: the lane, then the run.
CLAIM = """
WITH RECURSIVE runs AS (
    (SELECT run_id FROM delivery_dispatchbatch
     WHERE state IN ('waiting', 'leased') ORDER BY run_id LIMIT 1)
    UNION ALL
    SELECT (SELECT b.run_id FROM delivery_dispatchbatch b
            WHERE b.state IN ('waiting', 'leased') AND b.run_id > runs.run_id
            ORDER BY b.run_id LIMIT 1)
    FROM runs WHERE runs.run_id IS NOT NULL
), leased AS (
    SELECT runs.run_id, b.id, coalesce(b.lane, b.tenant_id) AS lane
    FROM runs JOIN delivery_dispatchbatch b ON b.run_id = runs.run_id
    WHERE b.state = 'leased' AND b.leased_until >= now()
), due AS (
    SELECT b.id, b.priority, b.next_at,
           (SELECT count(*) FROM leased l WHERE l.lane = coalesce(b.lane, b.tenant_id)) AS of_lane,
           (SELECT count(*) FROM leased l WHERE l.run_id = b.run_id) AS of_run
    FROM runs CROSS JOIN LATERAL (
        (SELECT * FROM delivery_dispatchbatch w
         WHERE w.run_id = runs.run_id AND w.state = 'waiting' AND w.next_at <= now()
         ORDER BY w.next_at, w.id LIMIT 4)
        UNION ALL
        (SELECT * FROM delivery_dispatchbatch w
         WHERE w.run_id = runs.run_id AND w.state = 'leased' AND w.leased_until < now()
           AND w.next_at <= now() ORDER BY w.next_at, w.id LIMIT 4)
    ) b
    WHERE runs.run_id <> ALL(%(enough_of)s::uuid[])
)
UPDATE delivery_dispatchbatch
SET state = 'leased', token = %(token)s, leased_until = now() + make_interval(secs => %(lease)s)
WHERE id = (
    SELECT b.id FROM delivery_dispatchbatch b JOIN due ON due.id = b.id
    WHERE b.state = 'waiting' OR (b.state = 'leased' AND b.leased_until < now())
    ORDER BY due.priority DESC, due.of_lane, due.of_run, due.next_at, due.id
    FOR UPDATE OF b SKIP LOCKED LIMIT 1
)
RETURNING id, tenant_id, run_id, account_id, channel, step, coalesce(lane, tenant_id),
          queued + held, first_id, last_id
"""


def claim(enough_of: Collection[uuid.UUID] = ()) -> Lease | None:
    """Lease the due batch whose turn it is, or one whose lease has run out.

    `enough_of` are the runs of which the caller has enough already.
    """
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {"token": token, "lease": LEASE.total_seconds(), "enough_of": list(enough_of)},
        )
        row = cursor.fetchone()
    return None if row is None else Lease(*row, token=token)  # type: ignore[misc]


def renew(leases: Collection[Lease]) -> None:
    """Extend leases that are still ours; who lost one learns it at the next marking."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE delivery_dispatchbatch b
            SET leased_until = now() + make_interval(secs => %s)
            FROM unnest(%s::bigint[], %s::uuid[]) AS v(id, token)
            WHERE b.id = v.id AND b.token = v.token AND b.state = 'leased'
            """,
            [
                LEASE.total_seconds(),
                [lease.batch_id for lease in leases],
                [lease.token for lease in leases],
            ],
        )


def release(lease: Lease) -> None:
    """Give the batch back: done when nothing waits or is under way, else due again.

    A batch of a run that was paused or cancelled meanwhile stops with it.
    """
    with tenant_scope(lease.tenant_id), connection.cursor() as cursor:
        cursor.execute(
            """
                UPDATE delivery_dispatchbatch b
                SET token = NULL, leased_until = NULL,
                    state = CASE WHEN b.queued + b.held + b.sending = 0 THEN 'done'
                                 WHEN r.state = 'paused' THEN 'stopped' ELSE 'waiting' END,
                    next_at = greatest(now(), coalesce((
                        SELECT min(coalesce(m.not_before, now())) FROM delivery_message m
                        WHERE m.batch_id = b.id AND m.id BETWEEN b.first_id AND b.last_id
                          AND m.state IN ('queued', 'held')), now()),
                        CASE WHEN b.queued + b.held = 0 THEN now() + make_interval(secs => %s)
                             ELSE now() END)
                FROM delivery_sendrun r
                WHERE b.id = %s AND b.token = %s AND r.id = b.run_id
                RETURNING b.state, r.state
                """,
            [LEASE.total_seconds(), lease.batch_id, lease.token],
        )
        row = cursor.fetchone()
    if row is None:
        return
    state, run_state = row
    # Runs and messages are locked before their batches, so not while we hold this one's lock.
    with tenant_scope(lease.tenant_id):
        if run_state == SendRun.State.CANCELLED and state != "done":
            skip_waiting(run_id=lease.run_id, batch_id=lease.batch_id)
    with tenant_scope(lease.tenant_id):
        finish_run_if_done(run_id=lease.run_id)
