"""What becomes of messages and caps when two customers become one, and come apart again."""

import datetime as dt
import uuid
from typing import Any

from django.db import connection

from customers.merging import Merge, move_rows, restore_rows
from marketing.core import clock
from marketing.delivery.counters import Move, cause_of, move_counters
from marketing.delivery.models import ContactLoad, Message

DUPLICATE = "duplicate_address"
WEEK = dt.timedelta(days=7)

# One person gets one message of a step of a run: that which is on its way or there, else the first.
LOCK_DOUBLED = """
SELECT m.id, m.batch_id, m.state, CASE m.state WHEN 'held' THEN m.reason ELSE m.error_code END
FROM delivery_message m
WHERE m.customer_id = %(survivor)s AND m.state IN ('queued', 'held') AND EXISTS (
    SELECT FROM delivery_message o
    WHERE o.customer_id = %(survivor)s AND o.run_id = m.run_id AND o.step = m.step
      AND o.id <> m.id
      AND (o.state IN ('sending', 'sent', 'delivered', 'read', 'unknown')
           OR o.state IN ('queued', 'held') AND o.id < m.id))
ORDER BY m.id FOR UPDATE OF m
"""
SKIP = """
UPDATE delivery_message SET state = 'skipped', reason = %s, cost = 0
WHERE id = ANY(%s) AND id BETWEEN %s AND %s
"""


def move_messages(merge: Merge) -> list[str]:
    """Give the survivor the other's messages; what both were to get waits for one of them only.

    What is skipped here stays skipped when they come apart: its batch may be over by then.
    """
    moved = move_rows(Message, merge)
    if moved:
        _skip_doubled(merge.survivor)
    return moved


def restore_messages(merge: Merge, moved: list[str]) -> None:
    restore_rows(Message, merge, moved)


def _skip_doubled(customer_id: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK_DOUBLED, {"survivor": customer_id})
        doubled = cursor.fetchall()
        if not doubled:
            return
        ids = [pk for pk, *_ in doubled]
        cursor.execute(SKIP, [DUPLICATE, ids, ids[0], ids[-1]])
    move_counters(
        Move(batch_id, state, "skipped", 1, cause_of(state, code), DUPLICATE)
        for _pk, batch_id, state, code in doubled
    )


def move_load(merge: Merge) -> dict[str, Any] | None:
    """Count what both were sent against the caps of the one; what the other's load held."""
    loads = {load.customer_id: load for load in _locked(merge)}
    load = loads.get(merge.merged)
    if load is None:
        return None
    kept = loads.get(merge.survivor) or ContactLoad(customer_id=merge.survivor)
    held = {
        "sent": [at.isoformat() for at in load.sent],
        "whatsapp_at": load.whatsapp_at,
        "kept_whatsapp_at": kept.whatsapp_at,
    }
    since = clock.now() - WEEK
    kept.sent = sorted(at for at in [*kept.sent, *load.sent] if at > since)
    times = [at for at in (kept.whatsapp_at, load.whatsapp_at) if at]
    kept.whatsapp_at = max(times, default=None)
    kept.save()
    load.sent, load.whatsapp_at = [], None
    load.save()
    return held


def restore_load(merge: Merge, held: dict[str, Any] | None) -> None:
    """Give the times back that still count; one given up meanwhile is not taken again."""
    if held is None:
        return
    loads = {load.customer_id: load for load in _locked(merge)}
    kept, load = loads[merge.survivor], loads[merge.merged]
    for at in map(dt.datetime.fromisoformat, held["sent"]):
        if at in kept.sent:
            kept.sent.remove(at)
            load.sent.append(at)
    load.sent.sort()
    load.whatsapp_at = held["whatsapp_at"] and dt.datetime.fromisoformat(held["whatsapp_at"])
    if kept.whatsapp_at == load.whatsapp_at:
        kept.whatsapp_at = held["kept_whatsapp_at"] and dt.datetime.fromisoformat(
            held["kept_whatsapp_at"]
        )
    for one in (kept, load):
        one.save()


def _locked(merge: Merge) -> list[ContactLoad]:
    loads = ContactLoad.objects.filter(customer__in=[merge.survivor, merge.merged])
    return list(loads.order_by("customer_id").select_for_update())
