"""Applying what came in: set-based, idempotent, what cannot be matched yet looked at again."""

import datetime as dt
import logging
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from django.db import OperationalError, connection
from django.utils import timezone

from marketing.content import services as content
from marketing.core.tenancy import current_tenant_id, tenant_scope
from marketing.delivery.dispatch.refusals import (
    REPORTED,
    pause_faulted_accounts,
    pause_refused_runs,
)
from marketing.delivery.leaving import lock_people
from marketing.delivery.models import WebhookEvent
from marketing.delivery.providers.base import (
    Call,
    Inbound,
    Notice,
    StatusUpdate,
    Subscription,
    TemplateUpdate,
)
from marketing.delivery.registry import webhook_of
from marketing.delivery.webhooks import inbound, statuses, subscriptions
from marketing.delivery.webhooks.heard import Heard
from marketing.delivery.webhooks.reports import Report
from marketing.policy.models import ProviderAccount

logger = logging.getLogger(__name__)

# What one round takes at most; bodies are held in memory.
REQUESTS = 5_000
REQUESTS_ALONE = 200
BYTES = 8 * 2**20
LOOK_AGAIN = dt.timedelta(seconds=5)
LONGEST_WAIT = dt.timedelta(minutes=20)
GIVE_UP = dt.timedelta(days=1)

CLAIM = """
SELECT id, octet_length(body) FROM delivery_webhookevent
WHERE tenant_id = %s AND applied_at IS NULL AND next_at <= %s
ORDER BY next_at, id LIMIT %s FOR UPDATE SKIP LOCKED
"""
READ = """
SELECT id, account_id, provider, query, body, received_at FROM delivery_webhookevent
WHERE id = ANY(%s) AND id BETWEEN %s AND %s ORDER BY id
"""
APPLIED = """
UPDATE delivery_webhookevent SET state = 'applied', applied_at = %s, error = ''
WHERE id = ANY(%s) AND id BETWEEN %s AND %s
"""


@dataclass(eq=False)
class _Request:
    """A stored request, what it says, and what became of that."""

    id: uuid.UUID
    account_id: uuid.UUID
    provider: str
    query: str
    body: memoryview
    received_at: dt.datetime
    subscriptions: list[Subscription] = field(default_factory=list)
    state: str = WebhookEvent.State.APPLIED
    error: str = ""


def consume_due() -> int:
    """Apply what came in for every tenant; returns how many requests were looked at."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant FROM due_work()")
        tenants = [tenant for (tenant,) in cursor.fetchall()]
    applied = 0
    for tenant_id in tenants:
        while count := _consume_round(tenant_id):
            applied += count
    return applied


def _consume_round(tenant_id: uuid.UUID) -> int:
    """What can be taken at once; where one request cannot be applied, each by itself."""
    try:
        return _consume(tenant_id, REQUESTS)
    except OperationalError:
        raise  # of the database, not of a request: the next sweep comes
    except Exception:
        logger.exception("webhooks of %s are applied one by one", tenant_id)
    count = 0
    for _ in range(REQUESTS_ALONE):
        try:
            if not _consume(tenant_id, 1):
                break
        except OperationalError:
            raise
        except Exception as error:
            _set_aside(tenant_id, f"{type(error).__name__}: {error}"[:2000])
        count += 1
    return count


def _set_aside(tenant_id: uuid.UUID, error: str) -> None:
    """Keep the request that cannot be applied for a person to look at."""
    now = timezone.now()
    with tenant_scope(tenant_id):
        for request in _claim(now, 1):
            WebhookEvent.objects.filter(pk=request.id).update(
                state=WebhookEvent.State.UNREADABLE, error=error, applied_at=now
            )


def _consume(tenant_id: uuid.UUID, limit: int) -> int:
    now = timezone.now()
    with tenant_scope(tenant_id):
        requests = _claim(now, limit)
        if not requests:
            return 0
        applied = _apply(requests)
        _settle(requests, now)
    if applied.faulted:
        with tenant_scope(tenant_id):
            pause_faulted_accounts(applied.faulted)
    if applied.refused:
        with tenant_scope(tenant_id):
            pause_refused_runs(applied.refused, answered=REPORTED)
    for request in requests:
        if request.subscriptions:
            subscriptions.confirm(
                tenant_id=tenant_id,
                event_id=request.id,
                account_id=request.account_id,
                urls=[one.url for one in request.subscriptions],
            )
    return len(requests)


def _claim(now: dt.datetime, limit: int) -> list[_Request]:
    """Lock what has waited longest, as much as fits in memory."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [current_tenant_id(), now, limit])
        ids: list[uuid.UUID] = []
        size = 0
        for event_id, length in cursor.fetchall():
            size += length
            if ids and size > BYTES:
                break
            ids.append(event_id)
        if not ids:
            return []
        cursor.execute(READ, [ids, min(ids), max(ids)])
        return [_Request(*row) for row in cursor.fetchall()]


def _apply(requests: Sequence[_Request]) -> statuses.Applied:
    reports: list[Report] = []
    senders: list[_Request] = []
    said: list[tuple[_Request, Inbound]] = []
    for request in requests:
        try:
            call = Call(
                url=f"?{request.query}",
                headers={},
                body=bytes(request.body),
                received_at=request.received_at,
            )
            parsed = webhook_of(request.provider).parse(call)
        except (ValueError, KeyError) as error:
            logger.warning("webhook %s cannot be read: %s", request.id, error)
            request.state, request.error = WebhookEvent.State.UNREADABLE, str(error)
            continue
        for item in parsed:
            if isinstance(item, StatusUpdate):
                reports.append(Report(request.account_id, item))
                senders.append(request)
            elif isinstance(item, Inbound):
                said.append((request, item))
            elif isinstance(item, TemplateUpdate):
                _review(item)
            elif isinstance(item, Subscription):
                request.subscriptions.append(item)
            elif isinstance(item, Notice):
                told = (request.provider, item.kind, item.subject, item.text)
                logger.warning("%s on %s %s: %s", *told)
    heard = _heard(said)
    # People are locked before messages, all of them at once, as everybody else does.
    lock_people(inbound.senders_of(heard) | statuses.people_leaving(reports))
    inbound.take(heard)
    applied = statuses.apply(reports)
    for request, is_known in zip(senders, applied.known, strict=True):
        if not is_known:
            request.state, request.error = WebhookEvent.State.UNKNOWN, "unknown message"
    return applied


def _heard(said: Sequence[tuple[_Request, Inbound]]) -> list[Heard]:
    accounts = ProviderAccount.objects.in_bulk({request.account_id for request, _ in said})
    return [
        Heard(accounts[request.account_id], item)
        for request, item in said
        if request.account_id in accounts
    ]


def _review(update: TemplateUpdate) -> None:
    if update.said and not update.status:
        logger.warning("WhatsApp says %r of template %s", update.said, update.name)
    content.apply_whatsapp_status(**asdict(update))


def _settle(requests: Sequence[_Request], now: dt.datetime) -> None:
    """Close what is done; what names a message we do not know is looked at again for a day."""
    done = [r.id for r in requests if r.state == WebhookEvent.State.APPLIED and not r.subscriptions]
    if done:
        with connection.cursor() as cursor:
            cursor.execute(APPLIED, [now, done, min(done), max(done)])
    for request in requests:
        if request.subscriptions:
            WebhookEvent.objects.filter(pk=request.id).update(next_at=now + _patience(request, now))
        elif request.state != WebhookEvent.State.APPLIED:
            is_hopeless = (
                request.state == WebhookEvent.State.UNREADABLE
                or now - request.received_at > GIVE_UP
            )
            WebhookEvent.objects.filter(pk=request.id).update(
                state=request.state,
                error=request.error,
                next_at=now + _patience(request, now),
                applied_at=now if is_hopeless else None,
            )


def _patience(request: _Request, now: dt.datetime) -> dt.timedelta:
    """The older, the longer until the next look."""
    return min(max(LOOK_AGAIN, now - request.received_at), LONGEST_WAIT)
