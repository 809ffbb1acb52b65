"""The freeze: the whole audience becomes message rows in one statement, skipped ones too."""

import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import QuerySet

from customers.models import Customer
from marketing.core import clock, events
from marketing.core.errors import Conflict
from marketing.core.nudge import nudge
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.counters import EXPLAINED, count_causes
from marketing.delivery.models import SendRun
from marketing.delivery.plan import StepPlan, plan_step
from marketing.delivery.tasks import finish_run, nudge_dispatch
from marketing.policy import services as policy

BATCH_SIZE = 500

# Batch 0 takes everyone who is skipped: it is done before it begins. Numbers come from a
# running count, so nothing is sorted for them. The ids are made in the order of insertion.
WRITE_MESSAGES = """
WITH made AS (
    INSERT INTO delivery_message (
        tenant_id, run_id, batch_id, customer_id, branch_id, account_id, template_version_id,
        campaign_id, kind, channel, purpose, address, language, variables, state, reason,
        not_before, segments, cost, tries, provider_message_id, error_code, error_class,
        error_detail
    )
    SELECT %(tenant_id)s, %(run_id)s, batch.id, v.id, v.charged_branch_id, %(account_id)s,
           %(version_id)s, %(campaign_id)s, %(kind)s, %(channel)s, %(purpose)s, v.address,
           v.language, v.variables,
           CASE WHEN v.reason IS NULL THEN 'queued' ELSE 'skipped' END,
           coalesce(v.reason, CASE WHEN v.opens_at IS NOT NULL THEN 'outside_window' END, ''),
           v.opens_at, v.segments, v.cost, 0, '', '', '', ''
    FROM (
        SELECT v.*, CASE WHEN v.reason IS NULL THEN
            1 + (count(*) FILTER (WHERE v.reason IS NULL) OVER (ROWS UNBOUNDED PRECEDING) - 1)
                / %(batch_size)s
            ELSE 0 END AS batch_number
        FROM ({judged}) v
    ) v
    JOIN delivery_dispatchbatch batch
      ON batch.run_id = %(run_id)s AND batch.number = v.batch_number
    RETURNING id, batch_id, state, reason, branch_id, cost
)
SELECT batch_id, state, reason, branch_id,
       encode(min(uuid_send(id)), 'hex')::uuid, encode(max(uuid_send(id)), 'hex')::uuid,
       count(*), sum(cost)
FROM made GROUP BY batch_id, state, reason, branch_id
"""


@dataclass(frozen=True)
class FreezeResult:
    """What the freeze wrote. `reasons` counts the skipped by reason."""

    audience: int
    sendable: int
    reasons: dict[str, int]
    cost: Decimal


def freeze_run(*, run: SendRun, audience: QuerySet[Customer]) -> FreezeResult:
    """Write the run's messages for everyone in `audience`, and promise their cost.

    One transaction: either every person of the audience has a row, or nothing happened.
    Raises `Conflict` when the run was frozen before, `BudgetExceeded` when the cost does
    not fit the month.
    """
    now = clock.now()
    with transaction.atomic():
        if not SendRun.objects.filter(pk=run.pk, state=SendRun.State.READY).update(
            state=SendRun.State.FROZEN, frozen_at=now
        ):
            raise Conflict("This run was started before.")
        plan = plan_step(run.steps[0], purpose=run.purpose, now=now)
        _make_batches(run, plan)
        rows = _write_messages(run, plan, audience)
        costs = _close_batches(run, rows)
        policy.reserve_budget(branch_costs=costs, on=now)
        total = sum(row[6] for row in rows)
        SendRun.objects.filter(pk=run.pk).update(audience=total)
        reasons: Counter[str] = Counter()
        for _, state, reason, _, _, _, count, _ in rows:
            if state == "skipped":
                reasons[reason] += count
        result = FreezeResult(
            audience=total,
            sendable=total - reasons.total(),
            reasons=dict(reasons),
            cost=sum(costs.values(), Decimal(0)),
        )
        events.record(
            "send_run.frozen",
            {"runId": run.pk, "campaignId": run.campaign_id, "audience": total},
        )
        tenant_id, run_id = current_tenant_id(), run.pk
        transaction.on_commit(lambda: _after_commit(tenant_id, run_id, result.sendable))
    return result


def _after_commit(tenant_id: uuid.UUID, run_id: uuid.UUID, sendable: int) -> None:
    if sendable:
        nudge_dispatch()
        return
    nudge(finish_run, str(tenant_id), str(run_id))


def _make_batches(run: SendRun, plan: StepPlan) -> None:
    """As many batches as the whole chain would need; what stays empty is removed again."""
    people = Customer.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO delivery_dispatchbatch (
                tenant_id, run_id, account_id, channel, number, priority, state,
                queued, sending, sent, delivered, read, failed, skipped, held, unknown)
            SELECT %s, %s, %s, %s, number, %s, 'waiting', 0, 0, 0, 0, 0, 0, 0, 0, 0
            FROM generate_series(0, %s) AS number
            """,
            [
                run.tenant_id,
                run.pk,
                plan.account.pk,
                plan.channel,
                run.priority,
                people // BATCH_SIZE + 1,
            ],
        )


Row = tuple[int, str, str, uuid.UUID | None, uuid.UUID, uuid.UUID, int, Decimal]


def _write_messages(run: SendRun, plan: StepPlan, audience: QuerySet[Customer]) -> list[Row]:
    judged, params = plan.judged(audience, run.charged_branch_id)
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE_MESSAGES.replace("{judged}", judged),
            params
            | {
                "run_id": run.pk,
                "account_id": plan.account.pk,
                "version_id": plan.version.pk,
                "campaign_id": run.campaign_id,
                "kind": run.kind,
                "batch_size": BATCH_SIZE,
            },
        )
        rows: list[Row] = cursor.fetchall()
    return rows


def _close_batches(run: SendRun, rows: list[Row]) -> dict[uuid.UUID | None, Decimal]:
    """Write each batch's bounds, counters, causes and costs; returns the cost per charged branch.

    What is reserved here is what settling would book: the batches count as settled.
    """
    costs: dict[uuid.UUID | None, Decimal] = defaultdict(Decimal)
    reserved: dict[tuple[int, uuid.UUID | None], Decimal] = defaultdict(Decimal)
    bounds: dict[int, list[uuid.UUID]] = defaultdict(list)
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    causes: Counter[tuple[int, str, str]] = Counter()
    for batch_id, state, reason, branch_id, first_id, last_id, count, cost in rows:
        bounds[batch_id] += [first_id, last_id]
        counts[batch_id][state] += count
        if state == "queued":
            costs[branch_id] += cost
            reserved[batch_id, branch_id] += cost
        elif state in EXPLAINED:
            causes[batch_id, state, reason] += count
    batch_ids = list(bounds)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE delivery_dispatchbatch b
            SET first_id = v.first_id, last_id = v.last_id, queued = v.queued,
                skipped = v.skipped, is_settled = true,
                state = CASE WHEN v.queued = 0 THEN 'done' ELSE b.state END
            FROM unnest(%s::bigint[], %s::uuid[], %s::uuid[], %s::int[], %s::int[])
                 AS v(id, first_id, last_id, queued, skipped)
            WHERE b.id = v.id
            """,
            [
                batch_ids,
                [min(bounds[batch_id]) for batch_id in batch_ids],
                [max(bounds[batch_id]) for batch_id in batch_ids],
                [counts[batch_id]["queued"] for batch_id in batch_ids],
                [counts[batch_id]["skipped"] for batch_id in batch_ids],
            ],
        )
        cursor.execute(
            """
            INSERT INTO delivery_batchcost (
                tenant_id, run_id, batch_id, branch_id, reserved, spent)
            SELECT %s, %s, v.*, 0 FROM unnest(%s::bigint[], %s::uuid[], %s::numeric[]) AS v
            """,
            [
                run.tenant_id,
                run.pk,
                [batch_id for batch_id, _ in reserved],
                [branch_id for _, branch_id in reserved],
                list(reserved.values()),
            ],
        )
        cursor.execute(
            "DELETE FROM delivery_dispatchbatch WHERE run_id = %s AND first_id IS NULL", [run.pk]
        )
    count_causes(causes)
    return dict(costs)
