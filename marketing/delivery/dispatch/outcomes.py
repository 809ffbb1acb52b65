"""Writing what became of messages: set-based, forwards only, counters moved with the states."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from customers.models import Suppression
from customers.services import suppress_addresses
from marketing.core.tenancy import tenant_scope
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.dispatch.refusals import pause_refused_runs
from marketing.delivery.models import Message
from marketing.delivery.rules import MAX_TRIES, Result, ResultClass, retry_delay
from marketing.delivery.slots import give_back


class Changed(NamedTuple):
    """A message as the change left it."""

    id: uuid.UUID
    batch_id: int
    old: str
    new: str
    old_code: str
    new_code: str
    customer_id: uuid.UUID
    account_id: uuid.UUID
    reference: str
    sending_at: dt.datetime
    slot_at: dt.datetime | None
    is_superseded: bool


@dataclass(frozen=True)
class Outcome:
    """What the HTTP call told about one message. `tries` counts those made, this included."""

    message_id: uuid.UUID
    result: Result
    tries: int = 1
    segments: int = 1


# Each statement that changes rows works on rows that an earlier one locked, in id order: what
# it sees is then what is there.
LOCK = """
SELECT 1 FROM delivery_message
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s ORDER BY id FOR UPDATE
"""
CHANGE = """
UPDATE delivery_message m
SET state = v.state,
    provider_message_id = CASE WHEN v.reference <> '' THEN v.reference
                               ELSE m.provider_message_id END,
    error_code = v.code, error_class = v.class, error_detail = v.detail,
    not_before = v.not_before,
    sent_at = CASE WHEN v.state = 'sent' THEN m.sending_at ELSE m.sent_at END,
    failed_at = CASE WHEN v.state = 'failed' THEN %(now)s ELSE m.failed_at END,
    slot_at = CASE WHEN v.state IN ('failed', 'queued') THEN NULL ELSE m.slot_at END,
    segments = v.segments,
    cost = CASE WHEN v.state = 'failed' THEN 0
                ELSE m.cost / greatest(m.segments, 1) * v.segments END
FROM unnest(
    %(ids)s::uuid[], %(states)s::text[], %(references)s::text[], %(codes)s::text[],
    %(classes)s::text[], %(details)s::text[], %(not_before)s::timestamptz[], %(segments)s::int[]
) AS v(id, state, reference, code, class, detail, not_before, segments)
WHERE m.id = v.id AND m.id BETWEEN %(first)s AND %(last)s AND m.state IN ('sending', 'unknown')
RETURNING m.id, m.batch_id, old.state, new.state, old.error_code, new.error_code, m.customer_id,
          m.account_id, v.reference, m.sending_at, old.slot_at, m.fallback_id IS NOT NULL
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
    now = timezone.now()
    place: dict[str, Any] = {
        "ids": [outcome.message_id for outcome in outcomes],
        "first": first,
        "last": last,
    }
    with tenant_scope(tenant_id):
        with connection.cursor() as cursor:
            cursor.execute(LOCK, place)
            cursor.execute(CHANGE, place | _values(outcomes, _waited_a_day(outcomes, place), now))
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
        _suppress(outcomes, first, last)
    refused = {o.message_id for o in outcomes if o.result.outcome is ResultClass.FAIL_CONTENT}
    if batch_ids := {row.batch_id for row in changed if row.id in refused}:
        with tenant_scope(tenant_id):
            pause_refused_runs(batch_ids)


def _values(
    outcomes: Sequence[Outcome], waited: Collection[uuid.UUID], now: dt.datetime
) -> dict[str, Any]:
    """The columns of the change; `waited` are those whose one try a day later this was."""
    states = [_state(outcome, outcome.message_id in waited) for outcome in outcomes]
    return {
        "now": now,
        "states": states,
        "references": [outcome.result.reference for outcome in outcomes],
        "codes": [outcome.result.code[:30] for outcome in outcomes],
        "classes": [_class(outcome.result) for outcome in outcomes],
        "details": [outcome.result.detail[:255] for outcome in outcomes],
        "not_before": [
            _again_at(outcome, now) if state == "queued" else None
            for outcome, state in zip(outcomes, states, strict=True)
        ],
        "segments": [outcome.segments for outcome in outcomes],
    }


def _waited_a_day(outcomes: Sequence[Outcome], place: dict[str, Any]) -> set[uuid.UUID]:
    """Of the messages that are held back for a day, those that were already."""
    ids = [o.message_id for o in outcomes if o.result.outcome is ResultClass.RETRY_LATER_24H]
    if not ids:
        return set()
    rows = Message.objects.filter(pk__in=ids, pk__range=(place["first"], place["last"]))
    return set(rows.filter(error_class=ResultClass.RETRY_LATER_24H).values_list("pk", flat=True))


def _name(tenant_id: uuid.UUID, changed: Sequence[Changed]) -> None:
    """Remember by which id of the vendor's its webhooks will name the messages."""
    if changed:
        with connection.cursor() as cursor:
            cursor.execute(
                NAME,
                [
                    tenant_id,
                    [row.account_id for row in changed],
                    [row.reference for row in changed],
                    [row.id for row in changed],
                ],
            )


def _count(changed: Sequence[Changed]) -> None:
    moves = Counter(
        (row.batch_id, row.old, row.new, row.old_code, row.new_code)
        for row in changed
        if not row.is_superseded
    )
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
    # A vendor that asks for less has not looked at the message: no try of it is used up.
    if kind is ResultClass.RETRY and (outcome.tries < MAX_TRIES or outcome.result.slows):
        return "queued"
    if kind is ResultClass.RETRY_LATER_24H and outcome.tries < MAX_TRIES and not has_waited:
        return "queued"
    return "failed"


def _class(result: Result) -> str:
    return "" if result.outcome is ResultClass.ACCEPTED else result.outcome.value


def _again_at(outcome: Outcome, now: dt.datetime) -> dt.datetime:
    if outcome.result.outcome is ResultClass.RETRY_LATER_24H:
        return now + dt.timedelta(hours=24)
    return now + retry_delay(outcome.tries, outcome.result.retry_after)


def _suppress(outcomes: Sequence[Outcome], first: uuid.UUID, last: uuid.UUID) -> None:
    """Addresses that the vendor says to leave alone are not written to again."""
    reasons = {
        outcome.message_id: outcome.result.suppress or Suppression.Reason.OPTED_OUT.value
        for outcome in outcomes
        if outcome.result.suppress or outcome.result.outcome is ResultClass.FAIL_OPTOUT
    }
    if reasons:
        rows = Message.objects.filter(pk__in=reasons, pk__range=(first, last)).exclude(address="")
        suppress_addresses(
            (channel, address, reasons[pk])
            for pk, channel, address in rows.values_list("pk", "channel", "address")
        )
