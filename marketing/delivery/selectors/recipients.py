"""Who a run writes to, each person once, read a page at a time."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from customers.models import Customer
from marketing.core import ids
from marketing.core.tenancy import current_tenant_id, tenant_scope
from marketing.delivery.gate import REASONS
from marketing.delivery.models import DispatchBatch, Message, MessageState, SendRun
from marketing.delivery.selectors.waiting import held_for
from marketing.delivery.windows import OUTSIDE_WINDOW

# A run's messages are made when it is frozen, its retries and fallbacks later: never before.
CLOCK_SLACK = dt.timedelta(minutes=5)
FIRST_ID, LAST_ID = uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)
# What people are skipped or held for: counted by batch. Other reasons stand in the rows alone.
COUNTED_REASONS = frozenset(
    {*(reason.code for reason in REASONS), "duplicate_address", "missing_value", "cancelled"}
    | {OUTSIDE_WINDOW}
)
# Of a run's batches so many at most have bounds that overlap: those of each step, of what is not
# counted, and the one of the skipped.
OVERLAPPING = 16


def recipients_page(
    run: SendRun,
    *,
    states: Sequence[str] = (),
    reason: str = "",
    after: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
    newest_first: bool = False,
    size: int,
) -> list[Message]:
    """Up to `size` of the run's people between two messages' ids, with all their `attempts`.

    Each stands as the message whose state counts: in a cascade her latest attempt, on all
    channels at once the first of them. What waits for the account is held, and says so. However
    long the run, few rows are read: those within the bounds of batches that have some of it.
    """
    held = held_for(run)
    wanted = _stored_states(states, held)
    if not wanted:
        return []
    found = _ids_of_page(
        run,
        states=wanted,
        reason=reason,
        held=held,
        after=after or FIRST_ID,
        before=before or LAST_ID,
        order="DESC" if newest_first else "ASC",
        size=size,
    )
    order_by = "-pk" if newest_first else "pk"
    return _as_shown(run, _counted(run).filter(pk__in=found).order_by(order_by))


def all_recipients(
    run: SendRun, *, states: Sequence[str] = (), reason: str = "", size: int = 2_000
) -> Iterator[Message]:
    """Everybody whom `recipients_page` gives, page after page, each read in a transaction."""
    tenant_id = current_tenant_id()  # now: the rows may be read when the scope is closed

    def read() -> Iterator[Message]:
        after: uuid.UUID | None = None
        while True:
            with tenant_scope(tenant_id):
                page = recipients_page(run, states=states, reason=reason, after=after, size=size)
            yield from page
            if len(page) < size:
                return
            after = page[-1].pk

    return read()


def recipients_among(
    run: SendRun, customer_ids: Iterable[uuid.UUID], *, states: Sequence[str] = (), reason: str = ""
) -> list[Message]:
    """Those of some customers that the run has, as `recipients_page` gives them."""
    people = _as_shown(run, _counted(run).filter(customer_id__in=customer_ids).order_by("pk"))
    return [
        message
        for message in people
        if message.state in (states or MessageState.values) and reason in ("", message.reason)
    ]


def recipients_called(
    run: SendRun,
    customers: QuerySet[Customer],
    *,
    states: Sequence[str] = (),
    reason: str = "",
    after: uuid.UUID | None = None,
    size: int,
) -> list[Message]:
    """One page as `recipients_page` gives it, of these customers, of whom there may be very many.

    Read along the run's own rows: what many are called is soon met there.
    """
    held = held_for(run)
    batches = DispatchBatch.objects.filter(run_id=run.pk, first_id__isnull=False)
    first = batches.order_by("first_id").values_list("first_id", flat=True).first()
    last = batches.order_by("-last_id").values_list("last_id", flat=True).first()
    if first is None or last is None:
        return []
    people = _counted(run).filter(
        pk__gte=first, pk__lte=last, state__in=_stored_states(states, held), customer__in=customers
    )
    if after:
        people = people.filter(pk__gt=after)
    if reason and held:
        is_held = Q(state=MessageState.QUEUED)
        people = people.filter(is_held if reason == held else ~is_held & Q(reason=reason))
    elif reason:
        people = people.filter(reason=reason)
    return _as_shown(run, people.order_by("pk")[:size])


def newest_run_with(customer: Customer, runs: Sequence[SendRun]) -> uuid.UUID | None:
    """Of these runs the id of the one that wrote to her last, or left her out last."""
    if not runs:
        return None
    earliest = ids.lower_bound(min(run.created_at for run in runs) - CLOCK_SLACK)
    hers = Message.objects.filter(customer=customer, pk__gte=earliest, run__in=runs)
    return hers.order_by("-pk").values_list("run_id", flat=True).first()


def _stored_states(states: Sequence[str], held: str) -> list[str]:
    """The states of rows that are shown as one of these; what is `held` is queued there."""
    wanted = set(states or MessageState.values)
    if held:
        wanted -= {MessageState.QUEUED}
        wanted |= {MessageState.QUEUED} if MessageState.HELD in wanted else set()
    return sorted(wanted)


def _as_shown(run: SendRun, people: Iterable[Message]) -> list[Message]:
    shown = list(people)
    attempts: dict[uuid.UUID, list[Message]] = defaultdict(list)
    if run.mode != SendRun.Mode.SINGLE:
        of_these = _messages_of(run).filter(customer_id__in=[one.customer_id for one in shown])
        for attempt in of_these.order_by("pk"):
            attempts[attempt.customer_id].append(attempt)
    for message in shown:
        message.attempts = attempts.get(message.customer_id, [message])  # type: ignore[attr-defined]
    if held := held_for(run):
        for message in (*shown, *chain.from_iterable(attempts.values())):
            if message.state == MessageState.QUEUED:
                message.state, message.reason = MessageState.HELD, held
    return shown


def _messages_of(run: SendRun) -> QuerySet[Message]:
    """To be narrowed to people or ids: no index leads from a run to its messages."""
    earliest = ids.lower_bound(run.created_at - CLOCK_SLACK)
    return Message.objects.filter(run_id=run.pk, pk__gte=earliest)


def _counted(run: SendRun) -> QuerySet[Message]:
    counted = _messages_of(run)
    if run.mode == SendRun.Mode.ALL:
        counted = counted.filter(attempt_of=None)
    elif run.mode == SendRun.Mode.CASCADE:
        # What a retry took over went to another run and counts here as before.
        next_attempt = Message.objects.filter(pk=OuterRef("fallback_id"), run_id=run.pk)
        counted = counted.filter(Q(fallback_id=None) | ~Exists(next_attempt))
    return counted.select_related("customer", "branch", "template_version__template")


def _ids_of_page(
    run: SendRun,
    *,
    states: Sequence[str],
    reason: str,
    held: str,
    after: uuid.UUID,
    before: uuid.UUID,
    order: str,
    size: int,
) -> list[uuid.UUID]:
    # Every batch looked at has one to give at least, but for those that the bounds lie in; where
    # batches overlap, as many more are looked at as may begin before that one.
    how_many = " + ".join(f"b.{MessageState(state).value}" for state in states)
    # By a cause that is not counted the rows themselves have to be asked, batch after batch.
    is_counted = reason in COUNTED_REASONS
    is_all = len(states) == len(MessageState.values)
    counted = "m.attempt_of IS NULL" if run.mode == SendRun.Mode.ALL else "true"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT m.id FROM (
                SELECT * FROM delivery_dispatchbatch b
                WHERE b.run_id = %(run)s AND NOT b.is_extra AND {how_many} > 0
                  AND b.last_id > %(after)s AND b.first_id < %(before)s
                  AND (NOT %(is_counted)s OR EXISTS (
                      SELECT FROM delivery_batchreason r
                      WHERE r.tenant_id = %(tenant)s AND r.run_id = %(run)s AND r.batch_id = b.id
                        AND r.state IN ('skipped', 'held')
                        AND r.code = %(reason)s AND r.count > 0))
                ORDER BY {"b.first_id" if order == "ASC" else "b.last_id"} {order}
                LIMIT %(batches)s
            ) b CROSS JOIN LATERAL (
                SELECT m.id FROM delivery_message m
                WHERE m.run_id = %(run)s AND m.id BETWEEN b.first_id AND b.last_id
                  AND m.id > %(after)s AND m.id < %(before)s AND {counted}
                  AND {"true" if is_all else "m.batch_id = b.id AND m.state = ANY(%(states)s)"}
                  AND (%(reason)s = ''
                       OR CASE WHEN %(held)s <> '' AND m.state = 'queued'
                               THEN %(held)s ELSE m.reason END = %(reason)s)
                  AND (m.fallback_id IS NULL OR NOT EXISTS (
                      SELECT FROM delivery_message n
                      WHERE n.id = m.fallback_id AND n.run_id = m.run_id))
                ORDER BY m.id {order} LIMIT %(size)s
            ) m
            ORDER BY m.id {order} LIMIT %(size)s
            """,  # noqa: S608  the columns are our states
            {
                "tenant": current_tenant_id(),
                "run": run.pk,
                "after": after,
                "before": before,
                "states": list(states),
                "reason": reason,
                "held": held,
                "size": size,
                "is_counted": is_counted,
                "batches": size + 2 * OVERLAPPING if is_counted or not reason else None,
            },
        )
        return [message_id for (message_id,) in cursor.fetchall()]
