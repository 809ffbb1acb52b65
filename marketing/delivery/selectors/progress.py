"""Where runs stand, from the counters of their batches: no message is read for it."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Min, Q, Sum

from marketing.core import clock
from marketing.delivery import pace
from marketing.delivery.models import BatchCost, BatchReason, DispatchBatch, MessageState, SendRun
from marketing.delivery.selectors.waiting import held_for

ATTEMPTED = ("sent", "delivered", "read", "failed", "unknown")
MAY_GO_ON = (DispatchBatch.State.WAITING, DispatchBatch.State.LEASED)


@dataclass(frozen=True)
class Progress:
    """Where a run stands. `states` adds up to `audience`, always; held is what `held_for` says.

    `sent`, `delivered` and `read` are cumulative (sent ≥ delivered ≥ read). `cost` was charged,
    `reserved` may be yet. `rate` is messages a second over the last minute; `eta` None while
    nothing moves. `goes_on_at` is when the first of what waits may go, past while some may.
    """

    run: SendRun
    audience: int
    states: dict[str, int]
    sent: int
    delivered: int
    read: int
    failed: int
    cost: Decimal
    reserved: Decimal
    rate: float
    eta: dt.datetime | None
    goes_on_at: dt.datetime | None


def progress_of(runs: list[SendRun]) -> dict[uuid.UUID, Progress]:
    """The progress of each run, from the batches' counters, in two statements."""
    names = MessageState.values
    sums = {name: Sum(name, default=0) for name in names}
    next_due = Min("next_at", filter=DispatchBatch.HAS_WAITING & Q(state__in=MAY_GO_ON))
    rows = (
        DispatchBatch.objects.filter(run_id__in=[run.pk for run in runs], is_extra=False)
        .values("run_id")
        .annotate(**{f"in_{name}": total for name, total in sums.items()}, goes_on_at=next_due)
    )
    by_run: dict[Any, Any] = {row["run_id"]: row for row in rows}
    money = {
        run_id: (spent, reserved)
        for run_id, spent, reserved in BatchCost.objects.filter(run_id__in=[r.pk for r in runs])
        .values_list("run_id")
        .annotate(Sum("spent"), Sum("reserved"))
    }
    states_of = {
        run.pk: {name: int(by_run.get(run.pk, {}).get(f"in_{name}", 0)) for name in names}
        for run in runs
    }
    moving = [run for run in runs if run.state == SendRun.State.FROZEN]
    rates = pace.rates(
        {run.pk: attempted(states_of[run.pk]) for run in moving},
        begun={run.pk: run.frozen_at for run in moving if run.frozen_at},
    )
    found = {}
    for run in runs:
        states = states_of[run.pk]
        cost, reserved = money.get(run.pk, (Decimal(0), Decimal(0)))
        waiting = states["queued"] + states["sending"]
        if held_for(run):
            states |= {"queued": 0, "held": states["held"] + states["queued"]}
        read = states["read"]
        delivered = states["delivered"] + read
        rate = rates.get(run.pk, 0.0)
        found[run.pk] = Progress(
            run=run,
            audience=run.audience,
            states=states,
            sent=states["sent"] + delivered,
            delivered=delivered,
            read=read,
            failed=states["failed"],
            cost=cost,
            reserved=reserved,
            rate=rate,
            eta=(clock.now() + dt.timedelta(seconds=waiting / rate) if rate and waiting else None),
            goes_on_at=by_run.get(run.pk, {}).get("goes_on_at"),
        )
    return found


def run_progress(run: SendRun) -> Progress:
    """The progress of one run."""
    return progress_of([run])[run.pk]


def attempted(states: Mapping[str, int]) -> int:
    """How many of a run's messages have left, or were tried and failed."""
    return sum(states[state] for state in ATTEMPTED)


def reasons_of(run: SendRun) -> dict[str, int]:
    """How many were skipped for which reason."""
    rows = BatchReason.objects.filter(run_id=run.pk, state=MessageState.SKIPPED)
    counts = rows.values_list("code").annotate(n=Sum("count"))
    return dict(counts.filter(n__gt=0))
