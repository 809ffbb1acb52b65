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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from marketing.core import clock
from marketing.core.models import DomainEvent, EventDelivery
from marketing.core.nudge import nudge_soon
from marketing.core.prepared import send_later
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


# Ids of one statement are in the order in which the rows are made.
WRITE = """
WITH happened AS (
    INSERT INTO core_domainevent (tenant_id, name, payload, occurred_at, actor_id)
    SELECT %(tenant)s, event.name, event.payload, %(now)s, event.actor_id
    FROM unnest(%(names)s::text[], %(payloads)s::jsonb[], %(actors)s::uuid[])
        WITH ORDINALITY AS event (name, payload, actor_id, place)
    ORDER BY place RETURNING id, name
)
INSERT INTO core_eventdelivery
    (event_id, tenant_id, event_name, handler, not_before, attempts, last_error)
SELECT happened.id, %(tenant)s, happened.name, owed.handler, %(due)s, 0, ''
FROM happened
JOIN unnest(%(subscribed)s::text[], %(handlers)s::text[]) AS owed (name, handler) USING (name)
ORDER BY happened.id
"""


class _Waiting(NamedTuple):
    name: str
    payload: Mapping[str, Any]
    actor_id: uuid.UUID | None


_waiting: ContextVar[list[_Waiting] | None] = ContextVar("waiting_events", default=None)


def record(
    name: str,
    payload: Mapping[str, Any],
    *,
    actor_id: uuid.UUID | None = None,
) -> None:
    """Write an event of the open tenant scope, and what it owes to its handlers."""
    record_all(name, [payload], actor_id=actor_id)


def record_all(
    name: str,
    payloads: Sequence[Mapping[str, Any]],
    *,
    actor_id: uuid.UUID | None = None,
) -> None:
    """Write events of one name, and what they owe to their handlers, in one statement.

    Inside `together` they are written at its end.
    """
    happened = [_Waiting(name, payload, actor_id) for payload in payloads]
    waiting = _waiting.get()
    if waiting is None:
        _write(happened)
    else:
        waiting += happened


@contextmanager
def together() -> Iterator[None]:
    """Write the events of the body at its end, in one statement however many there are.

    Inside another it joins that; those of a body that raises are forgotten, as its work is.
    """
    outer = _waiting.get()
    waiting = [] if outer is None else outer
    before = len(waiting)
    token = _waiting.set(waiting)
    try:
        yield
    except BaseException:
        del waiting[before:]
        raise
    finally:
        _waiting.reset(token)
    if outer is None:
        _write(waiting)


def _write(happened: Sequence[_Waiting]) -> None:
    if not happened:
        return
    encode = DjangoJSONEncoder().encode
    owed = [
        (name, handler)
        for name in dict.fromkeys(event.name for event in happened)
        for handler in _subscriptions[name]
    ]
    send_later(
        WRITE,
        {
            "tenant": current_tenant_id(),
            "now": clock.now(),
            "names": [event.name for event in happened],
            "payloads": [encode(event.payload) for event in happened],
            "actors": [event.actor_id for event in happened],
            "due": timezone.now(),
            "subscribed": [name for name, _handler in owed],
            "handlers": [handler for _name, handler in owed],
        },
    )
    if owed:
        from marketing.core.tasks import deliver_events

        transaction.on_commit(lambda: nudge_soon(deliver_events))


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
