"""Applying webhooks: deduplicated by the vendor's own key, set-based, forwards only."""

import datetime as dt
import json
import logging
import uuid
from collections.abc import Iterable

from django.db import connection
from django.utils import timezone

from marketing.content import services as content
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import WebhookEvent
from marketing.delivery.providers.base import Inbound, StatusUpdate, TemplateUpdate
from marketing.delivery.registry import vendor
from marketing.delivery.webhooks import inbound

logger = logging.getLogger(__name__)

EVENTS = 200
LOOK_AGAIN = dt.timedelta(seconds=5)
GIVE_UP = dt.timedelta(days=1)

# New keys only; then the messages by our id or by the vendor's, locked in id order; a state
# only moves forwards; the counters move by what really changed.
APPLY = """
WITH v AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(updates)s::jsonb) AS v(
        account_id uuid, key text, state text, at timestamptz, message_id uuid,
        reference text, code text, detail text, error_class text)
), found AS MATERIALIZED (
    SELECT v.*, coalesce(v.message_id, r.message_id) AS target
    FROM v LEFT JOIN delivery_providerreference r
      ON v.message_id IS NULL AND r.account_id = v.account_id AND r.reference = v.reference
         AND v.reference <> ''
), known AS MATERIALIZED (
    SELECT m.id, m.state AS old_state FROM delivery_message m
    WHERE m.id IN (SELECT target FROM found)
    ORDER BY m.id FOR UPDATE
), fresh AS (
    INSERT INTO delivery_webhookkey (tenant_id, account_id, key)
    SELECT %(tenant)s, f.account_id, f.key FROM found f JOIN known k ON k.id = f.target
    GROUP BY f.account_id, f.key
    ON CONFLICT DO NOTHING RETURNING account_id, key
), said AS (
    SELECT DISTINCT f.* FROM found f JOIN fresh USING (account_id, key)
), latest AS (
    SELECT DISTINCT ON (target) * FROM said
    ORDER BY target, delivery_rank(state) DESC, at
), times AS (
    SELECT target,
           min(at) FILTER (WHERE state = 'sent') AS sent_at,
           min(at) FILTER (WHERE state = 'delivered') AS delivered_at,
           min(at) FILTER (WHERE state = 'read') AS read_at,
           min(at) FILTER (WHERE state = 'failed') AS failed_at,
           max(reference) AS reference
    FROM said GROUP BY target
), changed AS (
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
    FROM latest l JOIN times t USING (target) JOIN known k ON k.id = l.target
    WHERE m.id = l.target
    RETURNING m.id, m.batch_id, k.old_state, m.state
), moved AS (
    SELECT batch_id, old_state, state, count(*) AS n FROM changed
    WHERE old_state <> state GROUP BY batch_id, old_state, state
), deltas AS (
    SELECT batch_id, name, sum(n) AS n FROM (
        SELECT batch_id, old_state AS name, -n AS n FROM moved
        UNION ALL SELECT batch_id, state, n FROM moved
    ) d GROUP BY batch_id, name
), batches AS MATERIALIZED (
    SELECT id FROM delivery_dispatchbatch WHERE id IN (SELECT batch_id FROM moved)
    ORDER BY id FOR UPDATE
), counted AS (
    UPDATE delivery_dispatchbatch b
    SET queued = b.queued + d.queued, sending = b.sending + d.sending, sent = b.sent + d.sent,
        delivered = b.delivered + d.delivered, read = b.read + d.read,
        failed = b.failed + d.failed, unknown = b.unknown + d.unknown, held = b.held + d.held
    FROM (
        SELECT batch_id,
               coalesce(sum(n) FILTER (WHERE name = 'queued'), 0) AS queued,
               coalesce(sum(n) FILTER (WHERE name = 'sending'), 0) AS sending,
               coalesce(sum(n) FILTER (WHERE name = 'sent'), 0) AS sent,
               coalesce(sum(n) FILTER (WHERE name = 'delivered'), 0) AS delivered,
               coalesce(sum(n) FILTER (WHERE name = 'read'), 0) AS read,
               coalesce(sum(n) FILTER (WHERE name = 'failed'), 0) AS failed,
               coalesce(sum(n) FILTER (WHERE name = 'unknown'), 0) AS unknown,
               coalesce(sum(n) FILTER (WHERE name = 'held'), 0) AS held
        FROM deltas GROUP BY batch_id
    ) d JOIN batches ON batches.id = d.batch_id
    WHERE b.id = d.batch_id
)
SELECT f.key FROM found f LEFT JOIN known k ON k.id = f.target WHERE k.id IS NULL
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
                parsed = vendor(event.provider).webhook.parse(bytes(event.body))
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
    tenant_id: uuid.UUID, statuses: Iterable[tuple[WebhookEvent, StatusUpdate]]
) -> set[uuid.UUID]:
    """Apply the updates; returns the events that name a message we do not know (yet)."""
    by_key: dict[str, set[uuid.UUID]] = {}
    updates = []
    for event, update in statuses:
        by_key.setdefault(update.key, set()).add(event.pk)
        updates.append(
            {
                "account_id": str(event.account_id),
                "key": update.key,
                "state": update.state,
                "at": update.at.isoformat(),
                "message_id": str(update.message_id) if update.message_id else None,
                "reference": update.reference,
                "code": update.code,
                "detail": update.detail,
                "error_class": update.error_class,
            }
        )
    if not updates:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(APPLY, {"tenant": tenant_id, "updates": json.dumps(updates)})
        return set().union(*(by_key[key] for (key,) in cursor.fetchall()))
