"""The cascade: who was not reached on one channel is tried on the next."""

import datetime as dt
import logging
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction

from customers.models import Customer
from marketing.core import clock, ids
from marketing.core.errors import DomainError
from marketing.core.tenancy import tenant_scope
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.judgement import Again
from marketing.delivery.models import DispatchBatch, SendRun
from marketing.delivery.plan import plan_channels
from marketing.delivery.services.outbox import write_messages
from marketing.delivery.services.runs import finish_run_if_done, pause_run
from marketing.delivery.services.settlement import settle_batches
from marketing.delivery.tasks import nudge_dispatch
from marketing.policy import services as policy
from marketing.policy.selectors import month_of

logger = logging.getLogger(__name__)

BATCHES_AT_ONCE = 20
BATCH_SIZE = 500

# Those who were surely not reached, or not in time. Of `unknown` nobody knows, so nobody is
# written to twice for it; who told the vendor to stop is not written to elsewhere.
LOCK_DUE = """
    SELECT m.id, m.batch_id, m.customer_id, coalesce(m.attempt_of, m.id),
           m.error_class = 'fail_optout'
    FROM delivery_dispatchbatch b
    JOIN delivery_message m ON m.batch_id = b.id AND m.id BETWEEN b.first_id AND b.last_id
    WHERE b.id = ANY(%(batches)s) AND m.fallback_id IS NULL AND m.fallback_cost IS NOT NULL
      AND (m.state = 'failed' OR m.state = 'sent'
           AND m.sent_at <= %(now)s - make_interval(mins => b.fallback_minutes))
    ORDER BY m.id FOR UPDATE OF m
"""
TRIED = """
    SELECT customer_id, array_agg(DISTINCT step), bool_or(slot_at IS NOT NULL)
    FROM delivery_message
    WHERE customer_id = ANY(%(customers)s) AND run_id = %(run)s AND id >= %(run_bound)s
    GROUP BY customer_id
"""
HAND_OVER = """
    UPDATE delivery_message m SET fallback_id = n.id
    FROM delivery_message n
    WHERE m.id = ANY(%(due)s) AND m.id BETWEEN %(first)s AND %(last)s
      AND n.customer_id = m.customer_id AND n.batch_id = ANY(%(new_batches)s)
      AND n.id BETWEEN %(new_first)s AND %(new_last)s
    RETURNING m.batch_id, m.state, m.error_code
"""
GIVE_UP = """
    UPDATE delivery_message SET fallback_cost = NULL
    WHERE id = ANY(%(due)s) AND id BETWEEN %(first)s AND %(last)s AND fallback_id IS NULL
"""
LOCK_BATCHES = "SELECT 1 FROM delivery_dispatchbatch WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
COUNT_HANDED_ON = """
    UPDATE delivery_dispatchbatch b SET handed_on = b.handed_on + v.messages
    FROM unnest(%s::bigint[], %s::int[]) AS v(id, messages) WHERE b.id = v.id
"""
LOOK_AGAIN = """
    UPDATE delivery_dispatchbatch b SET fallback_at = (
        SELECT min(CASE m.state WHEN 'failed' THEN now()
                   ELSE m.sent_at + make_interval(mins => b.fallback_minutes) END)
        FROM delivery_message m
        WHERE m.batch_id = b.id AND m.id BETWEEN b.first_id AND b.last_id
          AND m.fallback_id IS NULL AND m.fallback_cost IS NOT NULL
          AND m.state IN ('sent', 'failed'))
    WHERE b.id = ANY(%s)
"""


class Due(NamedTuple):
    """A message whose person is to be tried elsewhere, unless she said stop."""

    id: uuid.UUID
    batch_id: int
    customer_id: uuid.UUID
    first_attempt: uuid.UUID
    said_stop: bool


def sweep_fallbacks() -> None:
    """Make the next attempts that are due, run by run.

    A run that is paused waits. One whose channels cannot be used any more is paused.
    """
    now = clock.now()
    due = DispatchBatch.objects.filter(fallback_at__lte=now).order_by("run_id")
    for tenant_id, run_id in due.values_list("tenant_id", "run_id").distinct():
        try:
            while True:
                with tenant_scope(tenant_id):
                    if not _sweep(run_id, now):
                        break
        except DomainError as error:
            logger.warning("the cascade of run %s cannot go on: %s", run_id, error)
            with tenant_scope(tenant_id):
                run = SendRun.objects.get(pk=run_id)
                pause_run(run=run, reason="channel_disabled", detail=str(error))


def _sweep(run_id: uuid.UUID, now: dt.datetime) -> bool:
    """Look at some due batches of the run; returns whether more may be due.

    The run's row is locked: it is not paused, cancelled or finished meanwhile.
    """
    run = SendRun.objects.select_for_update().get(pk=run_id)
    batches = DispatchBatch.objects.filter(run_id=run_id, fallback_at__lte=now)
    if run.state != SendRun.State.FROZEN:
        if run.state != SendRun.State.PAUSED:
            batches.update(fallback_at=None)
        return False
    batch_ids = sorted(
        batches.order_by("fallback_at", "pk").values_list("pk", flat=True)[:BATCHES_AT_ONCE]
    )
    with connection.cursor() as cursor:
        cursor.execute(LOCK_DUE, {"batches": batch_ids, "now": now})
        due = [Due(*row) for row in cursor.fetchall()]
        # Whoever changes messages locks them before their batches; so do we.
        cursor.execute(LOCK_BATCHES, [batch_ids])
    if due:
        _try_next(run, due, now)
    with connection.cursor() as cursor:
        cursor.execute(LOOK_AGAIN, [batch_ids])
    if due:
        settle_batches(sorted({message.batch_id for message in due}))
    finish_run_if_done(run_id=run_id)
    return len(batch_ids) == BATCHES_AT_ONCE


def _try_next(run: SendRun, due: Sequence[Due], now: dt.datetime) -> None:
    """Give each the first step she was not tried on that lets her through, where there is one."""
    plan = plan_channels(run.steps, mode=run.mode, purpose=run.purpose, now=now)
    asked: dict[str, Any] = {
        "run": run.pk,
        "run_bound": ids.lower_bound(run.created_at),
        "due": [message.id for message in due],
        "first": due[0].id,
        "last": due[-1].id,
        "customers": [message.customer_id for message in due if not message.said_stop],
    }
    first_attempts = {message.customer_id: message.first_attempt for message in due}
    alike: dict[tuple[frozenset[int], bool], list[uuid.UUID]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(TRIED, asked)
        for customer_id, tried, holds_slot in cursor.fetchall():
            alike[frozenset(tried), holds_slot].append(customer_id)
    made: list[DispatchBatch] = []
    for (tried, holds_slot), customers in alike.items():
        written = write_messages(
            run,
            plan.without(tried),
            Customer.objects.filter(pk__in=customers, status=Customer.Status.ACTIVE),
            people=len(customers),
            batch_size=BATCH_SIZE,
            again=Again(run, {pk: first_attempts[pk] for pk in customers}, holds_slot),
        )
        policy.book(
            changes={branch: (cost, Decimal(0)) for branch, cost in written.costs.items()},
            month=month_of(run.frozen_at or run.created_at),
        )
        made += written.batches
    with connection.cursor() as cursor:
        if made:
            cursor.execute(
                HAND_OVER,
                asked
                | {
                    "new_batches": [batch.pk for batch in made],
                    "new_first": min(batch.first_id for batch in made if batch.first_id),
                    "new_last": max(batch.last_id for batch in made if batch.last_id),
                },
            )
            left = Counter(cursor.fetchall())
            move_counters(
                Move(batch_id, state, "", count, old_code=code)
                for (batch_id, state, code), count in left.items()
            )
            handed_on: Counter[int] = Counter()
            for (batch_id, _state, _code), count in left.items():
                handed_on[batch_id] += count
            cursor.execute(COUNT_HANDED_ON, [list(handed_on), list(handed_on.values())])
            transaction.on_commit(nudge_dispatch)
        cursor.execute(GIVE_UP, asked)
