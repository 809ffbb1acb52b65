"""Readers who call a mail spam: counted per run, which pauses before providers block the sender."""

import uuid
from collections import Counter
from collections.abc import Sequence

from django.db import connection

from customers.models import Purpose
from marketing.delivery.counters import count_causes
from marketing.delivery.models import SendRun
from marketing.delivery.services.runs import pause_run

COMPLAINED = "complained"
PAUSE_REASON = "complaint_rate"
# What Gmail and Yahoo allow those who send many mails, in their guidelines of February 2024.
HIGHEST_RATE = 0.003
# Of fewer people, one complaint would already be too many.
FEWEST_DELIVERED = 1_000

MARK = """
UPDATE delivery_message SET reason = %(complained)s
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s AND reason <> %(complained)s
RETURNING batch_id
"""
LOCK = "SELECT run_id FROM delivery_dispatchbatch WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
RATES = """
SELECT b.run_id, sum(b.delivered + b.read), (
    SELECT sum(r.count) FROM delivery_batchreason r
    WHERE r.run_id = b.run_id AND r.state = %s)
FROM delivery_dispatchbatch b
WHERE b.run_id = ANY(%s) AND b.channel = 'email'
GROUP BY b.run_id
"""


def note_complaints(message_ids: Sequence[uuid.UUID]) -> None:
    """Count that the readers of these mails complained, each once; the caller has locked them.

    An offer whose complaints reach `HIGHEST_RATE` of what was delivered is paused.
    """
    if not message_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            MARK,
            {
                "complained": COMPLAINED,
                "ids": list(message_ids),
                "first": min(message_ids),
                "last": max(message_ids),
            },
        )
        counts = Counter(batch_id for (batch_id,) in cursor.fetchall())
        cursor.execute(LOCK, [sorted(counts)])
        run_ids = {run_id for (run_id,) in cursor.fetchall()}
        count_causes({(batch, COMPLAINED, COMPLAINED): count for batch, count in counts.items()})
        cursor.execute(RATES, [COMPLAINED, sorted(run_ids)])
        rates = {
            run_id: (complaints, delivered)
            for run_id, delivered, complaints in cursor.fetchall()
            if delivered >= FEWEST_DELIVERED and complaints >= delivered * HIGHEST_RATE
        }
    for run in SendRun.objects.filter(pk__in=rates, purpose=Purpose.PROMOTIONAL).order_by("pk"):
        complaints, delivered = rates[run.pk]
        pause_run(
            run=run,
            reason=PAUSE_REASON,
            detail=f"{complaints} of {delivered} readers marked the mail as spam.",
        )
