"""The life of a run: made ready, paused, resumed, cancelled, finished."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Sum

from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict
from marketing.core.nudge import nudge
from marketing.core.tenancy import current_tenant_id, tenant_scope
from marketing.delivery import tasks
from marketing.delivery.counters import Move, cause_of, move_counters
from marketing.delivery.models import DispatchBatch, SendRun
from marketing.delivery.selectors.waiting import ACCOUNT_PAUSED, BUDGET, lock_stopped_account_of
from marketing.delivery.services.settlement import settle_batches, settle_run
from marketing.policy.selectors import month_of

# What is skipped while the person who cancels waits, and how many batches of a larger run together.
SKIPPED_AT_ONCE = 20_000
BATCHES_AT_ONCE = 20
OPEN = (SendRun.State.FROZEN, SendRun.State.PAUSED)
# A batch that has something to send, or messages that another channel may yet take over.
UNFINISHED = ~Q(state=DispatchBatch.State.DONE) | Q(fallback_at__isnull=False)


def create_run(
    *,
    actor: Actor,
    kind: str,
    purpose: str,
    steps: Sequence[Mapping[str, Any]],
    mode: str = SendRun.Mode.SINGLE,
    campaign_id: uuid.UUID | None = None,
    label: str = "",
    branch_ids: Sequence[uuid.UUID] | None = None,
    charged_branch_id: uuid.UUID | None = None,
    priority: int = 0,
    retry_of: uuid.UUID | None = None,
) -> SendRun:
    """A run that is ready to be frozen. `charged_branch_id` None: each person's home branch."""
    run = SendRun.objects.create(
        kind=kind,
        purpose=purpose,
        mode=mode,
        steps=[dict(step) for step in steps],
        campaign_id=campaign_id,
        label=label,
        branch_ids=None if branch_ids is None else list(branch_ids),
        charged_branch_id=charged_branch_id,
        priority=priority,
        retry_of=retry_of,
    )
    audit.record(actor, "send_run.created", run, {"kind": kind, "purpose": purpose})
    return run


@transaction.atomic
def pause_run(*, run: SendRun, reason: str, detail: str = "") -> None:
    """Stop sending what is still queued; what is under way finishes. Idempotent."""
    changed = SendRun.objects.filter(pk=run.pk, state=SendRun.State.FROZEN).update(
        state=SendRun.State.PAUSED, pause_reason=reason, pause_detail=detail
    )
    if not changed:
        return
    _set_batches(run, DispatchBatch.State.WAITING, DispatchBatch.State.STOPPED)
    events.record(
        "send_run.paused",
        {"runId": run.pk, "campaignId": run.campaign_id, "reason": reason, "detail": detail},
    )


@transaction.atomic
def resume_run(*, run: SendRun) -> None:
    """Go on where the run stopped. Raises `Conflict` when it is not paused.

    One that was stopped for the budget asks for the money of what it has left, in the month that
    it is by now. Raises `BudgetExceeded` when that does not reach.
    """
    paused = SendRun.objects.select_for_update().filter(pk=run.pk, state=SendRun.State.PAUSED)
    stopped = paused.first()
    if stopped is None:
        raise Conflict("Only a paused run can go on.")
    now, charged_from = clock.now(), stopped.charged_from
    is_unpaid = stopped.pause_reason == BUDGET
    if is_unpaid and month_of(now) > month_of(charged_from or stopped.frozen_at or now):
        charged_from = now
    SendRun.objects.filter(pk=run.pk).update(
        state=SendRun.State.FROZEN, pause_reason="", pause_detail="", charged_from=charged_from
    )
    _set_batches(run, DispatchBatch.State.STOPPED, DispatchBatch.State.WAITING)
    if is_unpaid:
        unfinished = DispatchBatch.objects.filter(UNFINISHED, run_id=run.pk)
        settle_batches(list(unfinished.values_list("pk", flat=True)), within_limits=True)
    transaction.on_commit(tasks.nudge_dispatch)


@transaction.atomic
def resume_if_mended(*, run_id: uuid.UUID) -> bool:
    """Let a run that waits for its account go on if no such account is stopped any more.

    For the news of its pause: the account may have been mended, and that news taken in, while
    the run was being paused. Returns whether it goes on.
    """
    waiting = SendRun.objects.filter(
        pk=run_id, state=SendRun.State.PAUSED, pause_reason=ACCOUNT_PAUSED
    )
    run = waiting.first()
    if run is None or lock_stopped_account_of(run):
        return False
    resume_run(run=run)
    return True


def _set_batches(run: SendRun, old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH mine AS (
                SELECT id FROM delivery_dispatchbatch WHERE run_id = %s AND state = %s
                ORDER BY id FOR UPDATE
            )
            UPDATE delivery_dispatchbatch b SET state = %s FROM mine WHERE b.id = mine.id
            """,
            [run.pk, old, new],
        )


@transaction.atomic
def cancel_run(*, run: SendRun) -> int:
    """Never send what is still queued or held; returns how many messages that is.

    What a worker is sending this moment finishes; its batch is closed when it does. Of a large
    run a task skips what waits, so that whoever cancels need not wait for it.
    """
    changed = SendRun.objects.filter(pk=run.pk, state__in=[SendRun.State.READY, *OPEN]).update(
        state=SendRun.State.CANCELLED, finished_at=clock.now()
    )
    if not changed:
        raise Conflict("This run is over.")
    falling_back = DispatchBatch.objects.filter(run_id=run.pk).exclude(fallback_minutes=None)
    ended = list(falling_back.order_by("pk").select_for_update().values_list("pk", flat=True))
    DispatchBatch.objects.filter(pk__in=ended).update(fallback_minutes=None, fallback_at=None)
    unfinished = DispatchBatch.objects.filter(run_id=run.pk).exclude(state="done")
    waiting: int = unfinished.aggregate(n=Sum(F("queued") + F("held"), default=0))["n"]
    if waiting > SKIPPED_AT_ONCE:
        _set_batches(run, DispatchBatch.State.WAITING, DispatchBatch.State.STOPPED)
        tenant_id, run_id = str(run.tenant_id), str(run.pk)
        transaction.on_commit(lambda: nudge(tasks.skip_cancelled, tenant_id, run_id))
        return waiting
    skipped = skip_waiting(run_id=run.pk)
    settle_run(run)
    return skipped


def skip_cancelled(*, tenant_id: uuid.UUID, run_id: uuid.UUID) -> None:
    """Skip what still waits in a cancelled run, some of its batches in a transaction."""
    is_more = True
    while is_more:
        with tenant_scope(tenant_id):
            stopped = DispatchBatch.objects.filter(
                DispatchBatch.HAS_WAITING, run_id=run_id, state=DispatchBatch.State.STOPPED
            )
            chosen = list(stopped.order_by("pk").values_list("pk", flat=True)[:BATCHES_AT_ONCE])
            is_more = bool(chosen) and _skip(DispatchBatch.objects.filter(pk__in=chosen)) > 0
    with tenant_scope(tenant_id):
        settle_run(SendRun.objects.get(pk=run_id))


def skip_rest_of_cancelled() -> None:
    """Skip what is left of the open tenant's cancelled runs whose task was lost."""
    left = DispatchBatch.objects.filter(
        DispatchBatch.HAS_WAITING, tenant_id=current_tenant_id(), state=DispatchBatch.State.STOPPED
    )
    cancelled = SendRun.objects.filter(state=SendRun.State.CANCELLED, pk__in=left.values("run_id"))
    for run_id in cancelled.values_list("pk", flat=True):
        nudge(tasks.skip_cancelled, str(current_tenant_id()), str(run_id))


@transaction.atomic
def skip_waiting(*, run_id: uuid.UUID, batch_id: int | None = None) -> int:
    """Turn what waits in a cancelled run into skipped messages, counters included."""
    batches = DispatchBatch.objects.filter(run_id=run_id).exclude(state=DispatchBatch.State.DONE)
    return _skip(batches if batch_id is None else batches.filter(pk=batch_id))


def _skip(batches: QuerySet[DispatchBatch]) -> int:
    """In the caller's transaction."""
    # Messages are locked before their batches, as everywhere.
    found = list(batches.order_by("pk"))
    if not found:
        return 0
    place: list[Any] = [
        [batch.pk for batch in found],
        min(batch.first_id for batch in found if batch.first_id),
        max(batch.last_id for batch in found if batch.last_id),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM delivery_message WHERE batch_id = ANY(%s) AND id BETWEEN %s AND %s"
            " AND state IN ('queued', 'held') ORDER BY id FOR UPDATE",
            place,
        )
        cursor.execute(
            """
            WITH skipped AS (
                UPDATE delivery_message SET state = 'skipped', reason = 'cancelled', cost = 0
                WHERE batch_id = ANY(%s) AND id BETWEEN %s AND %s AND state IN ('queued', 'held')
                RETURNING batch_id, old.state
            )
            SELECT batch_id, state, count(*) FROM skipped GROUP BY batch_id, state
            """,
            place,
        )
        counts = cursor.fetchall()
    move_counters(
        Move(batch_id, state, "skipped", count, cause_of(state, ""), "cancelled")
        for batch_id, state, count in counts
    )
    idle = batches.exclude(state=DispatchBatch.State.LEASED).filter(queued=0, held=0, sending=0)
    closed = list(idle.order_by("pk").select_for_update().values_list("pk", flat=True))
    DispatchBatch.objects.filter(pk__in=closed).update(state=DispatchBatch.State.DONE)
    return sum(count for *_, count in counts)


@transaction.atomic
def finish_run_if_done(*, run_id: uuid.UUID) -> bool:
    """Close the run when no batch has anything left to do; returns whether it did.

    The run's row is locked before its batches are looked at, so that of two workers that
    end the last two batches together one sees both done.
    """
    run = SendRun.objects.select_for_update().filter(pk=run_id, state=SendRun.State.FROZEN).first()
    if run is None or DispatchBatch.objects.filter(UNFINISHED, run_id=run_id).exists():
        return False
    SendRun.objects.filter(pk=run_id).update(state=SendRun.State.DONE, finished_at=clock.now())
    settle_run(run)
    events.record("send_run.finished", {"runId": run.pk, "campaignId": run.campaign_id})
    return True


def finish_done_runs() -> None:
    """Finish every run of the open tenant whose last outcome was written by another path."""
    unfinished = DispatchBatch.objects.filter(UNFINISHED).values("run_id")
    done = SendRun.objects.filter(state=SendRun.State.FROZEN).exclude(pk__in=unfinished)
    for run_id in done.values_list("pk", flat=True):
        finish_run_if_done(run_id=run_id)
