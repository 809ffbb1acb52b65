"""Applying webhooks: deduplicated by the vendor's own key, set-based, forwards only."""

import datetime as dt
import json
import logging
import uuid
from collections import Counter
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from marketing.content import services as content
from marketing.core.tenancy import tenant_scope
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.models import WebhookEvent
from marketing.delivery.providers.base import Call, Inbound, StatusUpdate, TemplateUpdate
from marketing.delivery.registry import webhook_of
from marketing.delivery.webhooks import inbound

logger = logging.getLogger(__name__)

EVENTS = 200
LOOK_AGAIN = dt.timedelta(seconds=5)
GIVE_UP = dt.timedelta(days=1)

# What the vendor's own id stands for, where ours is not echoed.
FIND = """
SELECT r.account_id, r.reference, r.message_id
FROM unnest(%s::uuid[], %s::text[]) AS v(account_id, reference)
JOIN delivery_providerreference r USING (account_id, reference)
"""
# The rows are locked in id order before anything is read of them.
LOCK = "SELECT id FROM delivery_message WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
REMEMBER = """
INSERT INTO delivery_webhookkey (tenant_id, account_id, key)
SELECT DISTINCT %s::uuid, account_id, key FROM unnest(%s::uuid[], %s::text[]) AS v(account_id, key)
ON CONFLICT DO NOTHING RETURNING account_id, key
"""
# A state only moves forwards, whatever came first.
CHANGE = """
WITH said AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS v(
        id uuid, state text, at timestamptz, reference text, code text, detail text,
        error_class text)
), latest AS (
    SELECT DISTINCT ON (id) * FROM said ORDER BY id, delivery_rank(state) DESC, at
), times AS (
    SELECT id,
           min(at) FILTER (WHERE state = 'sent') AS sent_at,
           min(at) FILTER (WHERE state = 'delivered') AS delivered_at,
           min(at) FILTER (WHERE state = 'read') AS read_at,
           min(at) FILTER (WHERE state = 'failed') AS failed_at,
           max(reference) AS reference
    FROM said GROUP BY id
)
UPDATE delivery_message m
SET state = CASE WHEN delivery_rank(l.state) > delivery_rank(m.state)
                 THEN l.state ELSE m.state END,
    sent_at = coalesce(m.sent_at, t.sent_at,
                       CASE WHEN l.state IN ('delivered', 'read') THEN m.sending_at END),
    delivered_at = coalesce(m.delivered_at, t.delivered_at, t.read_at),
    read_at = coalesce(m.read_at, t.read_at),
    failed_at = coalesce(m.failed_at, t.failed_at),
    provider_message_id = CASE WHEN m.provider_message_id = ''
                               THEN coalesce(t.reference, '') ELSE m.provider_message_id END,
    cost = CASE WHEN l.state = 'failed' AND m.state NOT IN ('delivered', 'read')
                THEN 0 ELSE m.cost END,
    error_code = CASE WHEN l.state = 'failed' THEN left(l.code, 30) ELSE m.error_code END,
    error_class = CASE WHEN l.state = 'failed' THEN l.error_class ELSE m.error_class END,
    error_detail = CASE WHEN l.state = 'failed' THEN left(l.detail, 255)
                        ELSE m.error_detail END
FROM latest l JOIN times t USING (id)
WHERE m.id = l.id
RETURNING m.batch_id, old.state, new.state, old.error_code, new.error_code, m.fallback_id IS NULL
"""


def consume_due() -> int:
    """Apply what came in for every tenant; returns how many requests were applied."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant FROM due_work()")
        tenants = [tenant for (tenant,) in cursor.fetchall()]
    applied = 0
    for tenant_id in tenants:
        while count := _consume(tenant_id):
            applied += count
    return applied


def _consume(tenant_id: uuid.UUID) -> int:
    now = timezone.now()
    with tenant_scope(tenant_id):
        events = list(
            WebhookEvent.objects.select_for_update(skip_locked=True)
            .filter(applied_at=None, next_at__lte=now)
            .order_by("next_at", "id")[:EVENTS]
        )
        statuses: list[tuple[WebhookEvent, StatusUpdate]] = []
        for event in events:
            try:
                call = Call(url=f"?{event.query}", headers={}, body=bytes(event.body))
                parsed = webhook_of(event.provider).parse(call)
            except ValueError as error:
                logger.warning("webhook %s cannot be read: %s", event.pk, error)
                event.error = str(error)
                continue
            for item in parsed:
                if isinstance(item, StatusUpdate):
                    if item.state:
                        statuses.append((event, item))
                elif isinstance(item, Inbound):
                    inbound.take(account_id=event.account_id, provider=event.provider, said=item)
                elif isinstance(item, TemplateUpdate) and item.status:
                    content.apply_whatsapp_status(
                        name=item.name,
                        language=item.language,
                        status=item.status,
                        reason=item.reason,
                    )
        unmatched = _apply(tenant_id, statuses)
        for event in events:
            if event.pk in unmatched and now - event.received_at < GIVE_UP:
                event.next_at = now + LOOK_AGAIN * 2 ** min(_age(event, now), 8)
            else:
                event.applied_at = now
                event.error = event.error or ("unknown message" if event.pk in unmatched else "")
        WebhookEvent.objects.bulk_update(events, ["next_at", "applied_at", "error"])
    return len(events)


def _age(event: WebhookEvent, now: dt.datetime) -> int:
    """How often the event has been looked at, by how long ago it came."""
    return int((now - event.received_at) / LOOK_AGAIN).bit_length()


def _apply(
    tenant_id: uuid.UUID, statuses: Sequence[tuple[WebhookEvent, StatusUpdate]]
) -> set[uuid.UUID]:
    """Apply the updates; returns the events that name a message we do not know (yet)."""
    if not statuses:
        return set()
    targets = _targets(statuses)
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [[target for target in targets if target]])
        known = {message_id for (message_id,) in cursor.fetchall()}
        found = [
            (event, update, target)
            for (event, update), target in zip(statuses, targets, strict=True)
            if target in known
        ]
        accounts = [event.account_id for event, _, _ in found]
        cursor.execute(REMEMBER, [tenant_id, accounts, [update.key for _, update, _ in found]])
        fresh = set(cursor.fetchall())
        said = [
            _as_json(update, target)
            for event, update, target in found
            if (event.account_id, update.key) in fresh
        ]
        cursor.execute(CHANGE, [json.dumps(said)])
        moves = Counter(
            tuple(row) for *row, is_live in cursor.fetchall() if is_live and row[1] != row[2]
        )
    move_counters(
        Move(batch_id, old, new, count, old_code, new_code)
        for (batch_id, old, new, old_code, new_code), count in moves.items()
    )
    return {
        event.pk
        for (event, _), target in zip(statuses, targets, strict=True)
        if target not in known
    }


def _targets(
    statuses: Sequence[tuple[WebhookEvent, StatusUpdate]],
) -> list[uuid.UUID | None]:
    """The message that each update is about, by our id or by the vendor's."""
    asked = {(e.account_id, u.reference) for e, u in statuses if not u.message_id and u.reference}
    by_reference: dict[tuple[uuid.UUID, str], uuid.UUID] = {}
    if asked:
        with connection.cursor() as cursor:
            cursor.execute(FIND, [list(column) for column in zip(*asked, strict=True)])
            by_reference = {(account, ref): message for account, ref, message in cursor.fetchall()}
    return [
        update.message_id or by_reference.get((event.account_id, update.reference))
        for event, update in statuses
    ]


def _as_json(update: StatusUpdate, message_id: uuid.UUID | None) -> dict[str, str]:
    return {
        "id": str(message_id),
        "state": update.state,
        "at": update.at.isoformat(),
        "reference": update.reference,
        "code": update.code,
        "detail": update.detail,
        "error_class": update.error_class,
    }
