"""Writing what became of messages: set-based, forwards only, counters moved with the states."""

import datetime as dt
import random
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from marketing.core.ids import uuid_array
from marketing.core.tenancy import tenant_scope
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.dispatch.refusals import pause_refused_runs
from marketing.delivery.leaving import Told, leave_alone, lock_people, people_of
from marketing.delivery.models import Message, SendRun
from marketing.delivery.rules import MAX_TRIES, PUT_OFF_FOR, Result, ResultClass, retry_delay
from marketing.delivery.slots import give_back


class Changed(NamedTuple):
    """A message as the change left it.

    `sending_at` and `slot_at` of those only that surely were not sent: what they held.
    """

    id: uuid.UUID
    batch_id: int
    old: str
    new: str
    old_code: str
    new_code: str
    customer_id: uuid.UUID
    account_id: uuid.UUID
    reference: str
    is_superseded: bool
    sending_at: dt.datetime | None
    slot_at: dt.datetime | None


@dataclass(frozen=True)
class Outcome:
    """What the HTTP call told about one message. `tries` counts those made, this included."""

    message_id: uuid.UUID
    result: Result
    tries: int = 1
    segments: int = 1


# Each statement that changes rows works on rows that an earlier one locked, in id order: what
# it sees is then what is there. That a message was held back for a day is kept while it lives:
# it has one more try. What it would have cost stays when it fails, as it may arrive after all.
LOCK = """
SELECT 1 FROM delivery_message
WHERE id = ANY(%(ids)s::uuid[]) AND id BETWEEN %(first)s AND %(last)s ORDER BY id FOR UPDATE
"""
CHANGE = """
UPDATE delivery_message m
SET state = v.state,
    provider_message_id = CASE WHEN o.reference <> '' THEN o.reference
                               ELSE m.provider_message_id END,
    error_code = v.code, error_detail = v.detail,
    error_class = CASE WHEN m.error_class = 'retry_later_24h' AND v.state <> 'failed'
                       THEN m.error_class ELSE v.class END,
    not_before = v.not_before,
    sent_at = CASE WHEN v.state = 'sent' THEN m.sending_at ELSE m.sent_at END,
    failed_at = CASE WHEN v.state = 'failed' THEN %(now)s ELSE m.failed_at END,
    slot_at = CASE WHEN v.state IN ('failed', 'queued') THEN NULL ELSE m.slot_at END,
    segments = v.segments,
    cost = m.cost / greatest(m.segments, 1) * v.segments
FROM unnest(%(ids)s::uuid[], %(references)s::text[], %(endings)s::int[])
     AS o(id, reference, ending)
JOIN unnest(%(states)s::text[], %(codes)s::text[], %(classes)s::text[], %(details)s::text[],
            %(not_before)s::timestamptz[], %(segments)s::int[])
     WITH ORDINALITY AS v(state, code, class, detail, not_before, segments, number)
     ON v.number = o.ending
WHERE m.id = o.id AND m.id BETWEEN %(first)s AND %(last)s AND m.state IN ('sending', 'unknown')
RETURNING m.id, m.batch_id, old.state, new.state, old.error_code, new.error_code, m.customer_id,
          m.account_id, o.reference, m.fallback_id IS NOT NULL,
          CASE WHEN new.state IN ('failed', 'queued') THEN m.sending_at END,
          CASE WHEN new.state IN ('failed', 'queued') THEN old.slot_at END
"""
NAME = """
INSERT INTO delivery_providerreference (tenant_id, account_id, reference, message_id)
SELECT %s, * FROM unnest(%s::uuid[], %s::text[], %s::uuid[])
ON CONFLICT DO NOTHING
"""


def write(
    tenant_id: uuid.UUID,
    outcomes: Sequence[Outcome],
    first: uuid.UUID,
    last: uuid.UUID,
) -> None:
    """Record the outcomes of messages with ids from `first` to `last`, in one transaction."""
    if not outcomes:
        return
    now = timezone.now()
    place: dict[str, Any] = {
        "ids": uuid_array(outcome.message_id for outcome in outcomes),
        "first": first,
        "last": last,
    }
    leaving = [o.message_id for o in outcomes if o.result.outcome is ResultClass.FAIL_OPTOUT]
    with tenant_scope(tenant_id):
        lock_people(people_of(leaving))
        with connection.cursor() as cursor:
            cursor.execute(LOCK, place)
            cursor.execute(CHANGE, place | _values(outcomes, _waited_enough(outcomes, place), now))
            changed: list[Changed] = [Changed(*row) for row in cursor.fetchall()]
        _name(tenant_id, [row for row in changed if row.reference])
        give_back(
            [
                (row.customer_id, row.slot_at, row.sending_at)
                for row in changed
                if row.new in ("failed", "queued")
            ]
        )
        _count(changed)
        _leave_alone(outcomes, first, last)
    refused = {o.message_id for o in outcomes if o.result.outcome is ResultClass.FAIL_CONTENT}
    if batch_ids := {row.batch_id for row in changed if row.id in refused}:
        with tenant_scope(tenant_id):
            pause_refused_runs(batch_ids)


def _values(
    outcomes: Sequence[Outcome], waited: Collection[uuid.UUID], now: dt.datetime
) -> dict[str, Any]:
    """The columns of the change: most outcomes end alike, so endings are told once each.

    `waited` are those that wait for no other day.
    """
    numbers: dict[_Ending, int] = {}
    spread = random.random()  # noqa: S311  chance, not a secret
    endings = [
        numbers.setdefault(
            _ending(outcome, outcome.message_id in waited, now, spread), len(numbers) + 1
        )
        for outcome in outcomes
    ]
    told = dict(zip(_Ending._fields, map(list, zip(*numbers, strict=True)), strict=True))
    references = [outcome.result.reference for outcome in outcomes]
    return {"now": now, "references": references, "endings": endings, **told}


class _Ending(NamedTuple):
    states: str
    codes: str
    classes: str
    details: str
    not_before: dt.datetime | None
    segments: int


def _ending(outcome: Outcome, has_waited: bool, now: dt.datetime, spread: float) -> _Ending:
    state, result = _state(outcome, has_waited), outcome.result
    return _Ending(
        state,
        result.code[:30],
        _class(result),
        result.detail[:255],
        _again_at(outcome, now, spread) if state == "queued" else None,
        outcome.segments,
    )


def _waited_enough(outcomes: Sequence[Outcome], place: dict[str, Any]) -> set[uuid.UUID]:
    """Of the messages held back for a day, those that were already or that another channel
    follows."""
    ids = [o.message_id for o in outcomes if o.result.outcome is ResultClass.RETRY_LATER_24H]
    if not ids:
        return set()
    rows = Message.objects.filter(pk__in=ids, pk__range=(place["first"], place["last"]))
    waited = Q(error_class=ResultClass.RETRY_LATER_24H) | Q(fallback_cost__isnull=False)
    return set(rows.filter(waited).values_list("pk", flat=True))


def _name(tenant_id: uuid.UUID, changed: Sequence[Changed]) -> None:
    """Remember by which id of the vendor's its webhooks will name the messages."""
    if changed:
        with connection.cursor() as cursor:
            cursor.execute(
                NAME,
                [
                    tenant_id,
                    uuid_array(row.account_id for row in changed),
                    [row.reference for row in changed],
                    uuid_array(row.id for row in changed),
                ],
            )


def _count(changed: Sequence[Changed]) -> None:
    """What another channel took over is counted no more, but what it costs is."""
    moves: Counter[tuple[int, str, str, str, str]] = Counter()
    for row in changed:
        moves[row.batch_id, row.old, row.new, row.old_code, row.new_code] += not row.is_superseded
    move_counters(
        Move(batch_id, old, new, count, old_code, new_code)
        for (batch_id, old, new, old_code, new_code), count in moves.items()
    )


def _state(outcome: Outcome, has_waited: bool) -> str:
    kind = outcome.result.outcome
    if kind is ResultClass.ACCEPTED:
        return "sent"
    if kind is ResultClass.UNKNOWN:
        return "unknown"
    if kind is ResultClass.FAIL_ACCOUNT:
        return "queued"  # refused for the account's sake: sent when the account is mended
    # A vendor that asks for less, or is down, has not looked at the message: no try is used up.
    is_spared = outcome.result.slows or outcome.result.spares
    if kind is ResultClass.RETRY and (outcome.tries < MAX_TRIES or is_spared):
        return "queued"
    if kind is ResultClass.RETRY_LATER_24H and outcome.tries < MAX_TRIES and not has_waited:
        return "queued"
    return "failed"


def _class(result: Result) -> str:
    return "" if result.outcome is ResultClass.ACCEPTED else result.outcome.value


def _again_at(outcome: Outcome, now: dt.datetime, spread: float) -> dt.datetime:
    if outcome.result.outcome is ResultClass.RETRY_LATER_24H:
        return now + PUT_OFF_FOR
    return now + retry_delay(outcome.tries, outcome.result.retry_after, spread)


def _leave_alone(outcomes: Sequence[Outcome], first: uuid.UUID, last: uuid.UUID) -> None:
    """Whom the vendor says to leave alone is not written to again."""
    results = {
        outcome.message_id: outcome.result
        for outcome in outcomes
        if outcome.result.suppress or outcome.result.outcome is ResultClass.FAIL_OPTOUT
    }
    if results:
        rows = Message.objects.filter(pk__in=results, pk__range=(first, last))
        leave_alone(
            Told(
                None if kind == SendRun.Kind.TEST else customer_id,
                channel,
                address,
                results[pk].outcome,
                results[pk].suppress,
            )
            for pk, kind, customer_id, channel, address in rows.values_list(
                "pk", "kind", "customer_id", "channel", "address"
            )
        )
