"""Another try of what the vendor says it accepted and will not deliver, but may later.

A day later and once for who had enough offers from everybody; with growing gaps where the vendor
was in trouble; when the account is mended where that is refused. Each try has a reference of its
own, so that a word about an earlier one neither fails nor repeats a later one.

Runs are locked before messages, their batches last, as everywhere.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence

from django.db import connection

from marketing.delivery.models import Message, SendRun
from marketing.delivery.rules import (
    PUT_OFF_FOR,
    ResultClass,
    reported_retry_delay,
    retry_delay,
)
from marketing.delivery.webhooks.reports import Details, Said, Standing

HELD_BACK = frozenset({ResultClass.RETRY_LATER_24H, ResultClass.RETRY, ResultClass.FAIL_ACCOUNT})
# Vendors' clocks differ from ours by less, and a day lies between the two tries.
CLOCK_SLACK = dt.timedelta(hours=1)

PUT_OFF = """
UPDATE delivery_message m
SET state = 'queued', reason = CASE m.state WHEN 'held' THEN '' ELSE m.reason END,
    not_before = v.until, slot_at = NULL, sent_at = NULL,
    provider_message_id = coalesce(nullif(v.reference, ''), m.provider_message_id),
    error_code = v.code, error_class = v.class, error_detail = v.detail
FROM unnest(%(ids)s::uuid[], %(untils)s::timestamptz[], %(references)s::text[],
            %(codes)s::text[], %(classes)s::text[], %(details)s::text[])
     AS v(id, until, reference, code, class, detail)
WHERE m.id = v.id AND m.id BETWEEN %(first)s AND %(last)s
"""
WAKE_BATCHES = """
UPDATE delivery_dispatchbatch b
SET next_at = CASE b.state WHEN 'done' THEN v.until ELSE least(b.next_at, v.until) END,
    state = CASE WHEN b.state = 'done' AND r.state = 'paused' THEN 'stopped' ELSE 'waiting' END
FROM unnest(%(batches)s::bigint[], %(untils)s::timestamptz[]) AS v(id, until),
     delivery_sendrun r
WHERE b.id = v.id AND b.state IN ('waiting', 'done') AND r.id = b.run_id
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
    if said.state not in ("sent", "failed"):
        return False
    if row.awaits_another_try and said.reference == row.reference != "":
        return True
    if row.was_held_back_a_day and row.state in ("queued", "held"):
        return True
    begun = details.sending_at if details else None
    if not said.failed or not begun or not _is_held_back(said):
        return False
    slack = CLOCK_SLACK if row.was_held_back_a_day else dt.timedelta()
    is_of_another = row.was_held_back_a_day or _is_of_another_try(row, said, details)
    return is_of_another and said.failed < begun - slack


def may_be_put_off(
    row: Standing, said: Said, details: Details, open_runs: Collection[uuid.UUID]
) -> bool:
    """While its run is not cancelled, and unless another channel reaches her sooner.

    The account's fault uses up no try, and no other channel is taken for it. Only what is said
    of the last try for sure has the message sent again.
    """
    if (
        not _is_held_back(said)
        or row.is_superseded
        or details.run_id not in open_runs
        or _is_of_another_try(row, said, details)
    ):
        return False
    if said.error_class == ResultClass.FAIL_ACCOUNT:
        return True
    if row.was_held_back_a_day and said.error_class == ResultClass.RETRY_LATER_24H:
        return False
    return not details.may_fall_back and details.tries < said.most_tries


def _is_held_back(said: Said) -> bool:
    return said.state == "failed" and said.error_class in HELD_BACK


def _is_of_another_try(row: Standing, said: Said, details: Details | None) -> bool:
    """Whether it names another try than the last, as far as is known of that."""
    is_first = details is not None and details.tries <= 1
    return not is_first and bool(row.reference) and said.reference != row.reference


def _until(said: Said, tries: int, now: dt.datetime) -> dt.datetime:
    """When to try again."""
    if said.error_class == ResultClass.RETRY_LATER_24H:
        return now + PUT_OFF_FOR
    if said.error_class == ResultClass.RETRY:
        return now + reported_retry_delay(tries)
    return now + retry_delay(tries, None)


def put_off(
    rows: Sequence[Details], said: Mapping[uuid.UUID, Said], now: dt.datetime
) -> dict[uuid.UUID, dt.datetime]:
    """Queue the messages; returns until when each waits."""
    reasons = [said[row.id] for row in rows]
    until = {row.id: _until(said[row.id], row.tries, now) for row in rows}
    with connection.cursor() as cursor:
        cursor.execute(
            PUT_OFF,
            {
                "ids": list(until),
                "untils": list(until.values()),
                "first": min(until),
                "last": max(until),
                "references": [one.reference for one in reasons],
                "codes": [one.code for one in reasons],
                "classes": [one.error_class for one in reasons],
                "details": [one.detail for one in reasons],
            },
        )
    return until


def wake(batches: Mapping[int, dt.datetime], run_ids: Collection[uuid.UUID]) -> None:
    """Have the batches taken up again by their times, and with them runs that were done.

    A batch that is leased looks for the time of its next message when it is given back.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAKE_BATCHES, {"batches": list(batches), "untils": list(batches.values())})
    SendRun.objects.filter(pk__in=run_ids, state=SendRun.State.DONE).update(
        state=SendRun.State.FROZEN, finished_at=None
    )
