"""Counting what was followed and opened: late enough to know machines by their haste."""

import datetime as dt
import uuid

from django.db import connection
from django.utils import timezone

from marketing.core import ids
from marketing.core.tenancy import tenant_scope
from marketing.delivery.counters import Move, cause_of, move_counters
from marketing.delivery.engagement import note_reading
from marketing.delivery.links.agents import BURST

BATCH = 5_000
# A person does not follow two links of one message within a second: it takes coming back.
BURST_SECONDS = 1
WAIT = dt.timedelta(seconds=3)
BATCH_LOCK = 0x11_4B  # advisory: one counter per tenant at a time

PENDING = """
SELECT id, message_id FROM delivery_engagement
WHERE NOT is_counted AND id < %s ORDER BY id LIMIT %s
"""
MARK_BURSTS = """
UPDATE delivery_engagement e SET machine = %(burst)s
WHERE e.id = ANY(%(ids)s) AND e.id BETWEEN %(first)s AND %(last)s
  AND e.kind = 'click' AND e.machine = ''
  AND EXISTS (
    SELECT FROM delivery_engagement o
    WHERE o.customer_id = e.customer_id AND o.message_id = e.message_id AND o.kind = 'click'
      AND o.link_id <> e.link_id AND o.id >= e.message_id
      AND o.at BETWEEN e.at - make_interval(secs => %(seconds)s)
                   AND e.at + make_interval(secs => %(seconds)s))
"""
COUNT = """
INSERT INTO delivery_linkcount AS c
    (tenant_id, run_id, link_id, kind, times, people, first_people, machine_times)
SELECT tenant_id, run_id, link_id, kind,
       count(*) FILTER (WHERE machine = ''),
       count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE is_first),
       count(*) FILTER (WHERE machine <> '')
FROM (
    SELECT e.*,
        machine = '' AND row_number() OVER (
            PARTITION BY run_id, customer_id, link_id, machine = '' ORDER BY id) = 1
        AND NOT EXISTS (
            SELECT FROM delivery_engagement o
            WHERE o.customer_id = e.customer_id AND o.run_id = e.run_id
              AND o.link_id = e.link_id AND o.machine = '' AND o.is_counted
              AND o.id >= %(oldest)s) AS is_new,
        machine = '' AND row_number() OVER (
            PARTITION BY run_id, customer_id, kind, machine = '' ORDER BY id) = 1
        AND NOT EXISTS (
            SELECT FROM delivery_engagement o
            WHERE o.customer_id = e.customer_id AND o.run_id = e.run_id
              AND o.kind = e.kind AND o.machine = '' AND o.is_counted
              AND o.id >= %(oldest)s) AS is_first
    FROM delivery_engagement e
    WHERE e.id = ANY(%(ids)s) AND e.id BETWEEN %(first)s AND %(last)s
) judged
GROUP BY tenant_id, run_id, link_id, kind ORDER BY run_id, link_id
ON CONFLICT (run_id, link_id) DO UPDATE SET
    times = c.times + excluded.times, people = c.people + excluded.people,
    first_people = c.first_people + excluded.first_people,
    machine_times = c.machine_times + excluded.machine_times
"""
LOCK = """
SELECT id FROM delivery_message
WHERE id = ANY(%(messages)s) AND id BETWEEN %(first_message)s AND %(last_message)s
ORDER BY id FOR UPDATE
"""
# Who follows a link or loads its picture has the message before them: it was read, whatever the
# vendor said or left unsaid.
MARK_READ = """
UPDATE delivery_message m
SET opened_at = coalesce(m.opened_at, e.opened_at),
    clicked_at = coalesce(m.clicked_at, e.clicked_at),
    state = CASE WHEN m.state <> 'skipped' THEN 'read' ELSE m.state END,
    reason = CASE WHEN m.state IN ('queued', 'held') THEN '' ELSE m.reason END,
    sent_at = coalesce(m.sent_at, m.sending_at),
    delivered_at = coalesce(m.delivered_at, e.at),
    read_at = coalesce(m.read_at, e.at)
FROM (
    SELECT message_id, min(at) AS at, min(at) FILTER (WHERE kind = 'open') AS opened_at,
           min(at) FILTER (WHERE kind = 'click') AS clicked_at
    FROM delivery_engagement
    WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s AND machine = ''
    GROUP BY message_id
) e
WHERE m.id = e.message_id AND m.id BETWEEN %(first_message)s AND %(last_message)s
RETURNING m.batch_id, old.state, new.state, old.error_code, m.fallback_id IS NULL,
          CASE WHEN old.read_at IS NULL THEN m.customer_id END
"""
DONE = """
UPDATE delivery_engagement SET is_counted = true
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s
"""


def count_engagement() -> int:
    """Count what waits, of every tenant; returns how many clicks and openings."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant FROM uncounted_engagement()")
        tenants = [tenant_id for (tenant_id,) in cursor.fetchall()]
    counted = 0
    for tenant_id in tenants:
        while number := _count_batch(tenant_id):
            counted += number
            if number < BATCH:
                break
    return counted


def _count_batch(tenant_id: uuid.UUID) -> int:
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [BATCH_LOCK, str(tenant_id)]
        )
        if cursor.fetchone() != (True,):
            return 0
        cursor.execute(PENDING, [ids.lower_bound(timezone.now() - WAIT), BATCH])
        pending = cursor.fetchall()
        if not pending:
            return 0
        found = [engagement_id for engagement_id, _message in pending]
        messages = sorted({message_id for _engagement, message_id in pending})
        values = {
            "ids": found,
            "first": found[0],
            "last": found[-1],
            "messages": messages,
            "first_message": messages[0],
            "last_message": messages[-1],
            # What somebody did in a run came after the run's first message to them.
            "oldest": messages[0],
            "burst": BURST,
            "seconds": BURST_SECONDS,
        }
        cursor.execute(MARK_BURSTS, values)
        cursor.execute(LOCK, values)
        cursor.execute(MARK_READ, values)
        read = cursor.fetchall()
        moves = [
            Move(batch_id, old, new, 1, cause_of(old, old_code))
            for batch_id, old, new, old_code, is_counted, _reader in read
            if is_counted and old != new
        ]
        cursor.execute(COUNT, values)
        cursor.execute(DONE, values)
        move_counters(moves)
        note_reading(reader for *_rest, reader in read)
    return len(pending)
