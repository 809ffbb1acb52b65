"""One more try, a day later, for who had enough offers from everybody when hers came.

Runs are locked before messages, their batches last, as everywhere.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence

from django.db import connection

from marketing.delivery.models import Message, SendRun
from marketing.delivery.rules import MAX_TRIES, ResultClass
from marketing.delivery.webhooks.reports import Details, Said, Standing

# Vendors' clocks differ from ours by less, and a day lies between the two tries.
CLOCK_SLACK = dt.timedelta(hours=1)

PUT_OFF = """
UPDATE delivery_message m
SET state = 'queued', not_before = %(until)s, slot_at = NULL, sent_at = NULL,
    provider_message_id = '', error_code = v.code, error_class = v.class, error_detail = v.detail
FROM unnest(%(ids)s::uuid[], %(codes)s::text[], %(classes)s::text[], %(details)s::text[])
     AS v(id, code, class, detail)
WHERE m.id = v.id AND m.id BETWEEN %(first)s AND %(last)s
"""
WAKE_BATCHES = """
UPDATE delivery_dispatchbatch b
SET next_at = CASE b.state WHEN 'done' THEN %(until)s ELSE least(b.next_at, %(until)s) END,
    state = CASE WHEN b.state = 'done' AND r.state = 'paused' THEN 'stopped' ELSE 'waiting' END
FROM delivery_sendrun r
WHERE b.id = ANY(%(batches)s) AND b.state IN ('waiting', 'done') AND r.id = b.run_id
"""


def lock_runs(said: Mapping[uuid.UUID, Said]) -> set[uuid.UUID]:
    """Lock the runs of messages that are held back; returns those that may go on."""
    ids = [pk for pk, one in said.items() if _is_held_back(one)]
    if not ids:
        return set()
    rows = Message.objects.filter(pk__in=ids, pk__range=(min(ids), max(ids)))
    runs = SendRun.objects.filter(pk__in=set(rows.values_list("run_id", flat=True)))
    locked = runs.order_by("pk").select_for_update(no_key=True).values_list("pk", "state")
    return {run_id for run_id, state in locked if state != SendRun.State.CANCELLED}


def is_about_earlier_try(row: Standing, said: Said, details: Details | None) -> bool:
    """Whether this was said of the try after which the message was put off."""
    if not row.was_put_off or said.state not in ("sent", "failed"):
        return False
    if row.state == "queued":
        return True
    begun = details.sending_at if details else None
    return bool(said.failed and begun and said.failed < begun - CLOCK_SLACK)


def may_be_put_off(
    row: Standing, said: Said, details: Details, open_runs: Collection[uuid.UUID]
) -> bool:
    """Once, while its run is not cancelled, and unless another channel reaches her sooner."""
    return (
        _is_held_back(said)
        and not row.was_put_off
        and not row.is_superseded
        and not details.may_fall_back
        and details.tries < MAX_TRIES
        and details.run_id in open_runs
    )


def _is_held_back(said: Said) -> bool:
    return said.state == "failed" and said.error_class == ResultClass.RETRY_LATER_24H


def put_off(rows: Sequence[Details], said: Mapping[uuid.UUID, Said], until: dt.datetime) -> None:
    """Queue the messages for then."""
    reasons = [said[row.id] for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            PUT_OFF,
            {
                "until": until,
                "ids": [row.id for row in rows],
                "first": min(row.id for row in rows),
                "last": max(row.id for row in rows),
                "codes": [one.code for one in reasons],
                "classes": [one.error_class for one in reasons],
                "details": [one.detail for one in reasons],
            },
        )


def wake(batch_ids: Collection[int], run_ids: Collection[uuid.UUID], until: dt.datetime) -> None:
    """Have the batches taken up again by then, and with them runs that were done.

    A batch that is leased looks for the time of its next message when it is given back.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAKE_BATCHES, {"batches": sorted(batch_ids), "until": until})
    SendRun.objects.filter(pk__in=run_ids, state=SendRun.State.DONE).update(
        state=SendRun.State.FROZEN, finished_at=None
    )
