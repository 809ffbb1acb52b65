"""Who was reached on one channel after all, when the next had already taken over."""

import datetime as dt
import uuid

from django.db import connection

from marketing.core import ids
from marketing.core.tenancy import tenant_scope
from marketing.delivery.counters import Move, move_counters

REACHED = "reached"

# Of the messages that wait, those whose person has an earlier one of the run that arrived. All of
# the batch: those that are held or skipped meanwhile let others move up, and who was reached need
# not wait for her hours to be skipped.
FIND = """
    SELECT n.id, p.id FROM (
        SELECT id, customer_id, run_id FROM delivery_message
        WHERE batch_id = %(batch)s AND id BETWEEN %(first)s AND %(last)s
          AND state IN ('queued', 'held')
    ) n CROSS JOIN LATERAL (
        SELECT id FROM delivery_message
        WHERE customer_id = n.customer_id AND run_id = n.run_id
          AND id >= %(run_bound)s AND id < n.id AND state IN ('delivered', 'read')
        ORDER BY id DESC LIMIT 1
    ) p
"""
LOCK = """
    SELECT id, batch_id, state, CASE state WHEN 'held' THEN reason ELSE error_code END
    FROM delivery_message
    WHERE id = ANY(%(ids)s) AND id BETWEEN %(lowest)s AND %(highest)s ORDER BY id FOR UPDATE
"""
SKIP = """
    UPDATE delivery_message n
    SET state = 'skipped', reason = %(reason)s, cost = 0, fallback_id = v.reached_by
    FROM unnest(%(needless)s::uuid[], %(reached_by)s::uuid[]) AS v(id, reached_by)
    WHERE n.id = v.id AND n.id BETWEEN %(lowest)s AND %(highest)s
"""
COUNT_AGAIN = """
    UPDATE delivery_message SET fallback_id = NULL
    WHERE id = ANY(%(reached_by)s) AND id BETWEEN %(lowest)s AND %(highest)s
"""
HANDED_BACK = """
    UPDATE delivery_dispatchbatch b SET handed_on = b.handed_on + v.change
    FROM (
        SELECT id, sum(change) AS change
        FROM unnest(%s::bigint[], %s::int[]) AS u(id, change) GROUP BY id
    ) v
    WHERE b.id = v.id
"""


def skip_reached(
    *,
    tenant_id: uuid.UUID,
    batch_id: int,
    bounds: tuple[uuid.UUID, uuid.UUID],
    begun_at: dt.datetime,
) -> None:
    """Of a cascade's messages that wait, skip those to people whom an earlier one reached.

    That happens to what had to wait for the morning: a phone that was off at night is on again.
    The earlier message stands for the person once more, and is counted in its batch.
    """
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(
            FIND,
            {
                "batch": batch_id,
                "first": bounds[0],
                "last": bounds[1],
                "run_bound": ids.lower_bound(begun_at),
            },
        )
        pairs = dict(cursor.fetchall())
        if not pairs:
            return
        asked = sorted({*pairs, *pairs.values()})
        place = {"lowest": asked[0], "highest": asked[-1]}
        cursor.execute(LOCK, {"ids": asked, **place})
        rows = {pk: rest for pk, *rest in cursor.fetchall()}
        # What arrived stays so; what waited may have been reported or cancelled meanwhile.
        needless = [pk for pk in pairs if rows[pk][1] in ("queued", "held")]
        if not needless:
            return
        reached_by = [pairs[pk] for pk in needless]
        cursor.execute(
            SKIP, {"reason": REACHED, "needless": needless, "reached_by": reached_by, **place}
        )
        cursor.execute(COUNT_AGAIN, {"reached_by": reached_by, **place})
        back = [(rows[new], rows[old]) for new, old in zip(needless, reached_by, strict=True)]
        move_counters(
            move
            for (new_batch, waiting, cause), (old_batch, state, _) in back
            for move in (
                Move(new_batch, waiting, "", 1, cause),
                Move(old_batch, "", state, 1),
            )
        )
        changes = [(new[0], 1) for new, _ in back] + [(old[0], -1) for _, old in back]
        cursor.execute(HANDED_BACK, [list(column) for column in zip(*changes, strict=True)])
