"""Reading messages: a run's recipients, a customer's messages, and why."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from customers.models import Channel, Customer, Suppression
from marketing.core import ids
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.delivery.gate import ADDRESS, JOINS, build_gate
from marketing.delivery.models import DispatchBatch, Message, MessageState, SendRun
from marketing.delivery.selectors.waiting import ACCOUNT_PAUSED
from marketing.delivery.windows import OUTSIDE_WINDOW, opening_times
from marketing.policy import selectors as policy

# A run's messages are made when it is frozen, its retries and fallbacks later: never before.
CLOCK_SLACK = dt.timedelta(minutes=5)
# Of a run's batches so many at most have bounds that overlap: those of each step, of what is not
# counted, and the one of the skipped.
OVERLAPPING = 16


def recipients(run: SendRun) -> QuerySet[Message]:
    """The run's people, each as the message whose state counts, newest last.

    In a cascade that is her latest attempt, on all channels at once the first of them.
    """
    batches = DispatchBatch.objects.filter(run_id=run.pk).exclude(first_id=None)
    first = batches.order_by("first_id").values_list("first_id", flat=True).first()
    last = batches.order_by("-last_id").values_list("last_id", flat=True).first()
    return _counted(run).filter(pk__range=(first, last)) if first else Message.objects.none()


def attempts_of(run: SendRun, customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Message]]:
    """All attempts of the run to reach each of these people, in the order of their making."""
    found: dict[uuid.UUID, list[Message]] = defaultdict(list)
    for message in _messages_of(run).filter(customer_id__in=customer_ids).order_by("pk"):
        found[message.customer_id].append(message)
    return found


def attach_attempts(run: SendRun, messages: Sequence[Message]) -> None:
    """Give each message of `recipients` its person's `attempts`; one query, if any."""
    is_single = run.mode == SendRun.Mode.SINGLE
    found = {} if is_single else attempts_of(run, [message.customer_id for message in messages])
    for message in messages:
        message.attempts = found.get(message.customer_id, [message])  # type: ignore[attr-defined]


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
    return counted.select_related("customer", "branch", "template_version__template").order_by("pk")


def recipients_page(
    run: SendRun,
    *,
    state: str = "",
    reason: str = "",
    customer_ids: Sequence[uuid.UUID] | None = None,
    after: uuid.UUID | None = None,
    size: int,
) -> list[Message]:
    """Up to `size` of the run's people after a message's id, in order, with their `attempts`.

    `reason` narrows a `state`, or the customers asked for. However long the run, few rows are
    read for a page: it is looked for within the bounds of batches that have some of it.
    """
    people = _counted(run)
    if customer_ids is not None:
        people = people.filter(pk__gt=after) if after else people
        people = people.filter(customer_id__in=customer_ids)
        people = people.filter(state=state) if state else people
        people = people.filter(reason=reason) if reason else people
    else:
        people = people.filter(pk__in=_ids_of_page(run, state, reason, after, size))
    page = list(people[:size])
    attach_attempts(run, page)
    return page


def _ids_of_page(
    run: SendRun, state: str, reason: str, after: uuid.UUID | None, size: int
) -> list[uuid.UUID]:
    # Every batch looked at has one to give at least, but for those that `after` lies in; where
    # bounds overlap, as many more are looked at as may begin before that one.
    if state:
        how_many, which = (
            f"b.{MessageState(state).value}",
            "m.batch_id = b.id AND m.state = %(state)s",
        )
    else:
        how_many = " + ".join(f"b.{name}" for name in MessageState.values)
        which = "m.attempt_of IS NULL" if run.mode == SendRun.Mode.ALL else "true"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT m.id FROM (
                SELECT * FROM delivery_dispatchbatch b
                WHERE b.run_id = %(run)s AND NOT b.is_extra AND {how_many} > 0
                  AND b.last_id > %(after)s
                  AND (%(reason)s = '' OR EXISTS (
                      SELECT FROM delivery_batchreason r
                      WHERE r.tenant_id = %(tenant)s AND r.run_id = %(run)s AND r.batch_id = b.id
                        AND r.state = %(state)s AND r.code = %(reason)s AND r.count > 0))
                ORDER BY b.first_id LIMIT %(batches)s
            ) b CROSS JOIN LATERAL (
                SELECT m.id FROM delivery_message m
                WHERE m.run_id = %(run)s AND m.id BETWEEN b.first_id AND b.last_id
                  AND m.id > %(after)s AND {which}
                  AND (%(reason)s = '' OR m.reason = %(reason)s)
                  AND (m.fallback_id IS NULL OR NOT EXISTS (
                      SELECT FROM delivery_message n
                      WHERE n.id = m.fallback_id AND n.run_id = m.run_id))
                ORDER BY m.id LIMIT %(size)s
            ) m
            ORDER BY m.id LIMIT %(size)s
            """,  # noqa: S608  the columns are our states
            {
                "tenant": current_tenant_id(),
                "run": run.pk,
                "after": after or uuid.UUID(int=0),
                "state": state,
                "reason": reason if state else "",
                "size": size,
                "batches": size + 2 * OVERLAPPING,
            },
        )
        return [message_id for (message_id,) in cursor.fetchall()]


def messages_of_customer(customer: Customer) -> QuerySet[Message]:
    """Every message to the customer, newest first."""
    return (
        Message.objects.filter(customer=customer)
        .select_related("template_version__template", "template_version__tenant", "account")
        .order_by("-pk")
    )


@dataclass(frozen=True)
class Verdict:
    """One reason of the gate, judged for one person now."""

    code: str
    blocks: bool


def explain(*, customer: Customer, channel: str, purpose: str) -> list[Verdict]:
    """Each reason of the gate for this customer, channel and purpose at this moment.

    And what would have the message wait: the hours of her branch, and the account. Whether
    the budget holds is asked of whole runs; `duplicate_address` and `missing_value` depend on
    the audience and the text, and a message that was skipped for them says so in its `reason`.
    """
    now, tenant, branch = timezone.now(), current_tenant(), customer.home_branch
    gate = build_gate(
        config=policy.get_config(),
        channel=channel,
        purpose=purpose,
        now=now,
        tenant_id=current_tenant_id(),
        has_suppressions=Suppression.objects.filter(channel=channel).exists(),
    )
    reasons = gate.reasons()
    columns = ", ".join(f"coalesce({gate.condition(reason)}, false)" for reason in reasons)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {columns}
            FROM (SELECT c.*, {ADDRESS[Channel(channel)]} AS address,
                         c.home_branch_id AS charged_branch_id
                  FROM customers_customer c WHERE c.id = %(customer)s) c {JOINS}
            """,  # noqa: S608  the gate's SQL is ours, its values are parameters
            {**gate.values, "customer": customer.pk},
        )
        row = cursor.fetchone()
    zone = branch.time_zone if branch else tenant.time_zone
    opens = opening_times(tenant=tenant, purpose=purpose, channel=channel, now=now, zones=[zone])
    account = policy.default_account(channel)
    return [
        *(Verdict(reason.code, blocks) for reason, blocks in zip(reasons, row, strict=True)),
        Verdict(OUTSIDE_WINDOW, opens[zone] is not None),
        Verdict(ACCOUNT_PAUSED, account is None or bool(account.circuit_reason)),
    ]
