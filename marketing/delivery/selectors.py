"""Reading runs and messages: progress, recipients, a customer's messages, and why."""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from customers.models import Channel, Customer, Suppression
from marketing.core import ids
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.gate import ADDRESS, JOINS, build_gate
from marketing.delivery.models import BatchCost, DispatchBatch, Message, MessageState, SendRun
from marketing.policy import selectors as policy

# A run's messages are made when it is frozen, its retries and fallbacks later: never before.
CLOCK_SLACK = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Progress:
    """Where a run stands. `states` adds up to `audience`, always.

    `sent`, `delivered` and `read` are cumulative (sent ≥ delivered ≥ read). `rate` is
    messages a second over the last minute; `eta` None while nothing moves.
    """

    run: SendRun
    audience: int
    states: dict[str, int]
    sent: int
    delivered: int
    read: int
    failed: int
    cost: Decimal
    rate: float
    eta: dt.datetime | None

    @property
    def waiting(self) -> int:
        return self.states["queued"] + self.states["sending"]


def progress_of(runs: list[SendRun]) -> dict[uuid.UUID, Progress]:
    """The progress of each run, from the batches' counters, in two statements."""
    names = MessageState.values
    sums = {name: Sum(name, default=0) for name in names}
    rows = (
        DispatchBatch.objects.filter(run_id__in=[run.pk for run in runs], is_extra=False)
        .values("run_id")
        .annotate(**{f"in_{name}": total for name, total in sums.items()})
    )
    by_run: dict[Any, Any] = {row["run_id"]: row for row in rows}
    spent = dict(
        BatchCost.objects.filter(run_id__in=[run.pk for run in runs])
        .values_list("run_id")
        .annotate(Sum("spent"))
    )
    rates = _rates([run for run in runs if run.state == SendRun.State.FROZEN])
    found = {}
    for run in runs:
        row: dict[str, Any] = by_run.get(run.pk, {})
        states = {name: int(row.get(f"in_{name}", 0)) for name in names}
        read = states["read"]
        delivered = states["delivered"] + read
        rate = rates.get(run.pk, 0.0)
        waiting = states["queued"] + states["sending"]
        found[run.pk] = Progress(
            run=run,
            audience=run.audience,
            states=states,
            sent=states["sent"] + delivered,
            delivered=delivered,
            read=read,
            failed=states["failed"],
            cost=spent.get(run.pk, Decimal(0)),
            rate=rate,
            eta=(
                timezone.now() + dt.timedelta(seconds=waiting / rate) if rate and waiting else None
            ),
        )
    return found


def run_progress(run: SendRun) -> Progress:
    """The progress of one run."""
    return progress_of([run])[run.pk]


def _rates(runs: list[SendRun]) -> dict[uuid.UUID, float]:
    """Messages a second of the last minute of each run."""
    if not runs:
        return {}
    now = timezone.now()
    since = now - dt.timedelta(minutes=1)
    rows = (
        Message.objects.filter(
            run_id__in=[run.pk for run in runs],
            pk__gte=ids.lower_bound(min(run.created_at for run in runs) - CLOCK_SLACK),
            sent_at__gte=since,
        )
        .values("run_id")
        .annotate(n=Count("pk"))
    )
    begun = {run.pk: max(since, run.frozen_at or since) for run in runs}
    return {
        row["run_id"]: row["n"] / max((now - begun[row["run_id"]]).total_seconds(), 1.0)
        for row in rows
    }


def recipients(run: SendRun) -> QuerySet[Message]:
    """The run's messages, newest last, with what a list shows of them."""
    return (
        Message.objects.filter(run_id=run.pk, pk__gte=ids.lower_bound(run.created_at - CLOCK_SLACK))
        .select_related("customer", "branch", "template_version__template")
        .order_by("pk")
    )


def reasons_of(run: SendRun) -> dict[str, int]:
    """How many were skipped for which reason."""
    rows = recipients(run).filter(state=MessageState.SKIPPED).values("reason").order_by()
    return {row["reason"]: row["n"] for row in rows.annotate(n=Count("pk"))}


def failures_of(run: SendRun) -> list[dict[str, object]]:
    """Failed and unknown messages by the vendor's code, most frequent first."""
    rows = recipients(run).filter(state__in=[MessageState.FAILED, MessageState.UNKNOWN])
    grouped = rows.values("error_code", "error_class", "error_detail").order_by()
    return [dict(row) for row in grouped.annotate(n=Count("pk")).order_by("-n")[:20]]


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

    `duplicate_address` and `missing_value` depend on the audience and the text; a message
    that was skipped for them says so in its `reason`.
    """
    gate = build_gate(
        config=policy.get_config(),
        channel=channel,
        purpose=purpose,
        now=timezone.now(),
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
    return [Verdict(reason.code, blocks) for reason, blocks in zip(reasons, row, strict=True)]
