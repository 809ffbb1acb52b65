"""After a worker was killed: what never started is queued again, what was answered is written,
and only the rest is unknown."""

import logging
import uuid
from collections.abc import Sequence

from django.db import OperationalError, connection, transaction

from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import journal, outcomes
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.models import DispatchBatch
from marketing.delivery.rules import LEASE, Result, ResultClass

logger = logging.getLogger(__name__)

LOST = Result(ResultClass.UNKNOWN, code="worker_lost")
NOT_STARTED = Result(ResultClass.RETRY, code="never_started")
# A worker's lease, and the longest its last request can take.
GIVEN_UP_SECONDS = LEASE.total_seconds() + 10
# A worker that was stopped in the middle of a transaction must not stop the sweep.
LOCK_TIMEOUT = "2s"


def recover_abandoned() -> None:
    """Settle what dead workers of this machine left, from their journals."""
    with journal.abandoned() as found:
        for notes in found:
            for batch_id, tenant_id, token in notes.leases:
                _recover_batch(notes, batch_id, tenant_id, token)


def _recover_batch(
    notes: journal.Notes, batch_id: int, tenant_id: uuid.UUID, token: uuid.UUID
) -> None:
    with tenant_scope(tenant_id):
        batch = DispatchBatch.objects.filter(pk=batch_id).first()
        if batch is None or batch.first_id is None or batch.last_id is None:
            return
        sending = _sending(batch)
        is_ours = batch.token == token
        settled = []
        for message_id, tries, segments in sending:
            if message_id in notes.answers:
                settled.append(notes.answers[message_id])
            elif message_id in notes.started:
                settled.append(Outcome(message_id, LOST, tries, segments))
            elif is_ours:
                settled.append(Outcome(message_id, NOT_STARTED, 0, segments))
        if settled:
            outcomes.write(tenant_id, settled, batch.first_id, batch.last_id)
        if is_ours:
            DispatchBatch.objects.filter(pk=batch_id, token=token).update(
                state=DispatchBatch.State.WAITING, token=None, leased_until=None
            )
        if settled:
            logger.warning("recovered %d messages of batch %d", len(settled), batch_id)


def _sending(batch: DispatchBatch) -> list[tuple[uuid.UUID, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, tries, segments FROM delivery_message"
            " WHERE batch_id = %s AND id BETWEEN %s AND %s AND state = 'sending'",
            [batch.pk, batch.first_id, batch.last_id],
        )
        rows: list[tuple[uuid.UUID, int, int]] = cursor.fetchall()
    return rows


def sweep() -> bool:
    """Call unknown what has been `sending` for too long; returns whether batches are due."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, tenant_id, first_id, last_id FROM delivery_dispatchbatch"
            " WHERE state <> 'done' AND sending > 0"
        )
        suspects = cursor.fetchall()
    for batch_id, tenant_id, first_id, last_id in suspects:
        _give_up(batch_id, tenant_id, first_id, last_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM delivery_dispatchbatch WHERE state IN ('waiting', 'leased')"
            " AND next_at <= now() AND (state = 'waiting' OR leased_until < now()))"
        )
        (is_due,) = cursor.fetchone()
    return bool(is_due)


def _give_up(batch_id: int, tenant_id: uuid.UUID, first_id: uuid.UUID, last_id: uuid.UUID) -> None:
    """What somebody is writing this moment is left to him; so is all while he holds the batch."""
    try:
        with transaction.atomic(), tenant_scope(tenant_id):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                cursor.execute(
                    "SELECT id, tries, segments FROM delivery_message WHERE batch_id = %s"
                    " AND id BETWEEN %s AND %s AND state = 'sending'"
                    " AND sending_at < now() - make_interval(secs => %s)"
                    " ORDER BY id FOR UPDATE SKIP LOCKED",
                    [batch_id, first_id, last_id, GIVEN_UP_SECONDS],
                )
                lost: Sequence[tuple[uuid.UUID, int, int]] = cursor.fetchall()
            if lost:
                outcomes.write(
                    tenant_id, [Outcome(i, LOST, t, s) for i, t, s in lost], first_id, last_id
                )
    except OperationalError:
        logger.warning("batch %d is locked by a worker that does not go on", batch_id)
