"""Writing what became of messages: set-based, forwards only, counters moved with the states."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from customers.models import Suppression
from customers.services import suppress_addresses
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import Message
from marketing.delivery.rules import MAX_TRIES, Result, ResultClass, retry_delay


@dataclass(frozen=True)
class Outcome:
    """What the HTTP call told about one message. `tries` counts those made, this included."""

    message_id: uuid.UUID
    result: Result
    tries: int = 1
    segments: int = 1


# Rows are locked in id order, then batches in theirs: every writer of outcomes does so.
WRITE = """
WITH v AS MATERIALIZED (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(states)s::text[], %(references)s::text[], %(codes)s::text[],
        %(classes)s::text[], %(details)s::text[], %(not_before)s::timestamptz[],
        %(segments)s::int[]
    ) AS v(id, state, reference, code, class, detail, not_before, segments)
), locked AS MATERIALIZED (
    SELECT m.id, m.state AS old_state, m.cost AS old_cost, m.segments AS old_segments
    FROM delivery_message m JOIN v ON v.id = m.id
    WHERE m.id BETWEEN %(first)s AND %(last)s AND m.state IN ('sending', 'unknown')
    ORDER BY m.id FOR UPDATE OF m
), changed AS (
    UPDATE delivery_message m
    SET state = v.state,
        provider_message_id = CASE WHEN v.reference <> '' THEN v.reference
                                   ELSE m.provider_message_id END,
        error_code = v.code, error_class = v.class, error_detail = v.detail,
        not_before = v.not_before,
        sent_at = CASE WHEN v.state = 'sent' THEN m.sending_at ELSE m.sent_at END,
        failed_at = CASE WHEN v.state = 'failed' THEN %(now)s ELSE m.failed_at END,
        segments = v.segments,
        cost = CASE WHEN v.state = 'failed' THEN 0
                    ELSE locked.old_cost / greatest(locked.old_segments, 1) * v.segments END
    FROM v JOIN locked ON locked.id = v.id
    WHERE m.id = v.id AND m.id BETWEEN %(first)s AND %(last)s
    RETURNING m.id, m.batch_id, m.account_id, m.customer_id, m.channel, m.address, m.sending_at,
              locked.old_state, m.state, m.cost
), named AS (
    INSERT INTO delivery_providerreference (tenant_id, account_id, reference, message_id)
    SELECT %(tenant)s, c.account_id, v.reference, c.id
    FROM changed c JOIN v ON v.id = c.id WHERE v.reference <> ''
    ON CONFLICT DO NOTHING
), freed AS (
    SELECT customer_id, sending_at FROM changed WHERE state IN ('failed', 'queued')
), loads AS MATERIALIZED (
    SELECT l.customer_id FROM delivery_contactload l JOIN freed USING (customer_id)
    ORDER BY l.customer_id FOR UPDATE OF l
), given_back AS (
    UPDATE delivery_contactload l SET sent = array_remove(l.sent, freed.sending_at)
    FROM freed JOIN loads USING (customer_id) WHERE l.customer_id = freed.customer_id
), moved AS (
    SELECT batch_id, old_state, state, count(*) AS n,
           sum(cost) FILTER (WHERE state IN ('sent', 'unknown') AND old_state = 'sending') AS cost
    FROM changed GROUP BY batch_id, old_state, state
), batches AS MATERIALIZED (
    SELECT id FROM delivery_dispatchbatch WHERE id IN (SELECT batch_id FROM moved)
    ORDER BY id FOR UPDATE
)
UPDATE delivery_dispatchbatch b
SET sending = b.sending - d.from_sending, unknown = b.unknown - d.from_unknown + d.to_unknown,
    queued = b.queued + d.to_queued, sent = b.sent + d.to_sent, failed = b.failed + d.to_failed,
    cost = b.cost + d.cost
FROM (
    SELECT batch_id,
           coalesce(sum(n) FILTER (WHERE old_state = 'sending'), 0) AS from_sending,
           coalesce(sum(n) FILTER (WHERE old_state = 'unknown'), 0) AS from_unknown,
           coalesce(sum(n) FILTER (WHERE state = 'unknown'), 0) AS to_unknown,
           coalesce(sum(n) FILTER (WHERE state = 'queued'), 0) AS to_queued,
           coalesce(sum(n) FILTER (WHERE state = 'sent'), 0) AS to_sent,
           coalesce(sum(n) FILTER (WHERE state = 'failed'), 0) AS to_failed,
           coalesce(sum(cost), 0) AS cost
    FROM moved GROUP BY batch_id
) d, batches WHERE b.id = d.batch_id AND batches.id = b.id
"""


def write(
    tenant_id: uuid.UUID, outcomes: Sequence[Outcome], first: uuid.UUID, last: uuid.UUID
) -> None:
    """Record the outcomes of messages with ids from `first` to `last`, in one transaction."""
    now = timezone.now()
    states = [_state(outcome) for outcome in outcomes]
    with tenant_scope(tenant_id):
        with connection.cursor() as cursor:
            cursor.execute(
                WRITE,
                {
                    "tenant": tenant_id,
                    "now": now,
                    "first": first,
                    "last": last,
                    "ids": [outcome.message_id for outcome in outcomes],
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
                },
            )
        _suppress(outcomes, first, last)


def _state(outcome: Outcome) -> str:
    kind = outcome.result.outcome
    if kind is ResultClass.ACCEPTED:
        return "sent"
    if kind is ResultClass.UNKNOWN:
        return "unknown"
    if kind is ResultClass.FAIL_ACCOUNT:
        return "queued"  # refused for the account's sake: sent when the account is mended
    if kind is ResultClass.RETRY and outcome.tries < MAX_TRIES:
        return "queued"
    return "failed"


def _class(result: Result) -> str:
    return "" if result.outcome is ResultClass.ACCEPTED else result.outcome.value


def _again_at(outcome: Outcome, now: dt.datetime) -> dt.datetime:
    return now + retry_delay(outcome.tries, outcome.result.retry_after)


def _suppress(outcomes: Sequence[Outcome], first: uuid.UUID, last: uuid.UUID) -> None:
    """An address the vendor says has opted out is not written to again."""
    ids = [o.message_id for o in outcomes if o.result.outcome is ResultClass.FAIL_OPTOUT]
    if ids:
        rows = Message.objects.filter(pk__in=ids, pk__gte=first, pk__lte=last)
        suppress_addresses(
            (channel, address, Suppression.Reason.OPTED_OUT)
            for channel, address in rows.values_list("channel", "address")
        )
