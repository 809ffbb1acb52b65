"""Messages that are not to go after all: what they tell is not so any more."""

import uuid
from collections.abc import Sequence

from django.db import connection, transaction

from marketing.core.ids import lower_bound
from marketing.delivery.counters import Move, cause_of, move_counters
from marketing.delivery.models import DispatchBatch, SendRun

CANCELLED = "cancelled"
# Messages are locked before their batches, as everywhere.
LOCK = """
SELECT m.id, m.batch_id, m.state, CASE m.state WHEN 'held' THEN m.reason ELSE m.error_code END
FROM delivery_message m
JOIN unnest(%s::uuid[], %s::uuid[]) AS asked (run_id, customer_id) USING (run_id, customer_id)
WHERE m.id >= %s AND m.state IN ('queued', 'held')
ORDER BY m.id FOR UPDATE OF m
"""
SKIP = """
UPDATE delivery_message SET state = 'skipped', reason = %s, cost = 0
WHERE id = ANY(%s) AND id BETWEEN %s AND %s
"""


@transaction.atomic
def withdraw_messages(*, asked: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> int:
    """Skip what still waits for these people (run, customer); what has left stays. How many.

    No run of them may be a large one's whole audience: that is `cancel_run`.
    """
    if not asked:
        return 0
    run_ids = [run_id for run_id, _customer_id in asked]
    oldest = SendRun.objects.filter(pk__in=run_ids).order_by("created_at").first()
    if oldest is None:
        return 0
    with connection.cursor() as cursor:
        people = [customer_id for _run_id, customer_id in asked]
        cursor.execute(LOCK, [run_ids, people, lower_bound(oldest.created_at)])
        waiting = cursor.fetchall()
        if not waiting:
            return 0
        ids = [pk for pk, *_ in waiting]
        cursor.execute(SKIP, [CANCELLED, ids, ids[0], ids[-1]])
    move_counters(
        Move(batch_id, state, "skipped", 1, cause_of(state, code), CANCELLED)
        for _pk, batch_id, state, code in waiting
    )
    idle = DispatchBatch.objects.filter(
        pk__in={batch_id for _pk, batch_id, *_ in waiting}, queued=0, held=0, sending=0
    ).exclude(state=DispatchBatch.State.LEASED)
    closed = list(idle.order_by("pk").select_for_update().values_list("pk", flat=True))
    DispatchBatch.objects.filter(pk__in=closed).update(state=DispatchBatch.State.DONE)
    return len(waiting)
