"""Stored domain events: news for upper layers, handled after the commit.

`record` writes the event and one delivery per subscribed handler in the transaction of the
change; workers take deliveries `SKIP LOCKED`, one event name and tenant at a time, and
delete them. Handlers get lists, read the present state and assume no order; an event may be
handed over more than once after a crash, so they are idempotent.
"""

import datetime as dt
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from marketing.core import clock
from marketing.core.models import DomainEvent, EventDelivery
from marketing.core.nudge import nudge
from marketing.core.tenancy import current_tenant_id, tenant_scope

logger = logging.getLogger(__name__)

Handler = Callable[[Sequence[DomainEvent]], None]

BATCH = 500
MAX_BACKOFF = dt.timedelta(hours=1)

_handlers: dict[str, Handler] = {}
_subscriptions: dict[str, list[str]] = defaultdict(list)


def subscribe(*names: str) -> Callable[[Handler], Handler]:
    """Register a handler for events of these names; called while apps are loaded."""

    def register(handler: Handler) -> Handler:
        key = f"{handler.__module__}.{handler.__qualname__}"
        _handlers[key] = handler
        for name in names:
            _subscriptions[name].append(key)
        return handler

    return register


def has_subscribers(name: str) -> bool:
    """Whether anything listens; mass writers skip writing events that nobody reads."""
    return bool(_subscriptions[name])


def record(
    name: str,
    payload: Mapping[str, Any],
    *,
    actor_id: uuid.UUID | None = None,
    not_before: dt.datetime | None = None,
) -> DomainEvent:
    """Write an event of the open tenant scope, and what it owes to its handlers."""
    (event,) = record_all(name, [payload], actor_id=actor_id, not_before=not_before)
    return event


def record_all(
    name: str,
    payloads: Sequence[Mapping[str, Any]],
    *,
    actor_id: uuid.UUID | None = None,
    not_before: dt.datetime | None = None,
) -> list[DomainEvent]:
    """Write events of one name, and what they owe to their handlers, in two statements."""
    tenant_id, now = current_tenant_id(), clock.now()
    events = DomainEvent.objects.bulk_create(
        DomainEvent(
            tenant_id=tenant_id,
            name=name,
            payload=dict(payload),
            occurred_at=now,
            actor_id=actor_id,
        )
        for payload in payloads
    )
    deliveries = [
        EventDelivery(
            event_id=event.pk,
            tenant_id=tenant_id,
            event_name=name,
            handler=handler,
            not_before=not_before or timezone.now(),
        )
        for event in events
        for handler in _subscriptions[name]
    ]
    if deliveries:
        from marketing.core.tasks import deliver_events

        EventDelivery.objects.bulk_create(deliveries)
        transaction.on_commit(lambda: nudge(deliver_events))
    return events


def deliver_due() -> int:
    """Hand due events to their handlers until none is left; returns how many were handed.

    A failing handler's deliveries stay, with the error and a doubling delay.
    """
    handed = 0
    while count := _deliver_batch():
        handed += count
    return handed


def _deliver_batch() -> int:
    with transaction.atomic():
        due = EventDelivery.objects.filter(not_before__lte=timezone.now()).order_by(
            "not_before", "id"
        )
        first = due.select_for_update(skip_locked=True).first()
        if first is None:
            return 0
        alike = due.filter(
            tenant_id=first.tenant_id, event_name=first.event_name, handler=first.handler
        ).select_for_update(skip_locked=True)
        batch = list(alike[:BATCH])
        ids = [delivery.pk for delivery in batch]
        try:
            with tenant_scope(first.tenant_id):
                events = DomainEvent.objects.filter(pk__in=[d.event_id for d in batch])
                _handlers[first.handler](list(events.order_by("pk")))
        except Exception as error:
            logger.exception("handler %s failed on %s", first.handler, first.event_name)
            delay = min(dt.timedelta(seconds=10) * 2 ** min(first.attempts, 10), MAX_BACKOFF)
            EventDelivery.objects.filter(pk__in=ids).update(
                attempts=F("attempts") + 1,
                not_before=timezone.now() + delay,
                last_error=f"{type(error).__name__}: {error}"[:2000],
            )
        else:
            EventDelivery.objects.filter(pk__in=ids).delete()
        return len(batch)
