"""What messages cost: recomputed from the rows of a batch, booked on the budget by the difference.

`BatchCost` says what a batch holds of each branch's budget as last booked; whatever changes a
batch's messages marks it unsettled. A vendor charges a message when it takes it or when it is
delivered (`CHARGED_ON` of its folder); until then, and while it still may, it is reserved. What
a run that was stopped for the budget has not begun to send holds nothing until it goes on.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from marketing.core import clock
from marketing.core.tenancy import current_tenant, tenant_scope
from marketing.delivery.models import BatchCost, DispatchBatch, SendRun
from marketing.delivery.registry import vendor
from marketing.delivery.selectors.waiting import BUDGET
from marketing.policy import services as policy
from marketing.policy.models import ProviderAccount
from marketing.policy.selectors import month_of

# A vendor that charges on delivery has reported it within this time after the run's end.
LAST_REPORTS = dt.timedelta(hours=72)
BATCHES_AT_ONCE = 100
# What one sweep reads at most: batches whose states stream in are settled again and again.
BATCHES_A_SWEEP = 500


class Change(NamedTuple):
    """How much more, or less, a run holds and has cost; `month` None: of the month it was
    frozen in.
    """

    run_id: uuid.UUID
    branch_id: uuid.UUID | None
    month: dt.date | None
    reserved: Decimal
    spent: Decimal


LOCK = "SELECT 1 FROM delivery_dispatchbatch WHERE id = ANY(%(batches)s) ORDER BY id FOR UPDATE"
# The bounds of the ids make each batch a short walk along the primary key. What was booked for a
# month that has nothing of the batch any more becomes 0.
RECOMPUTE = """
    INSERT INTO delivery_batchcost AS known (
        tenant_id, run_id, batch_id, branch_id, month, reserved, spent)
    SELECT b.tenant_id, b.run_id, b.id, c.branch_id, c.month, sum(c.reserved), sum(c.spent)
    FROM (
        SELECT b.*, coalesce(b.account_id = ANY(%(on_delivery)s), false) AS on_delivery,
               r.finished_at < now() - %(last_reports)s AS is_long_over,
               r.state = 'paused' AND r.pause_reason = %(budget)s AS is_unpaid,
               r.state IN ('frozen', 'paused') AS is_open, r.frozen_at, r.charged_from
        FROM delivery_dispatchbatch b
        JOIN delivery_sendrun r ON r.id = b.run_id
        WHERE b.id = ANY(%(batches)s)
    ) b
    CROSS JOIN LATERAL (
        SELECT m.branch_id,
            CASE WHEN b.charged_from IS NOT NULL THEN date_trunc('month', (
                CASE WHEN m.sending_at < b.charged_from THEN greatest(m.sending_at, b.frozen_at)
                     ELSE b.charged_from END) AT TIME ZONE %(zone)s)::date END AS month,
            coalesce(sum(m.cost) FILTER (
                WHERE m.state = 'sending'
                   OR (m.state IN ('queued', 'held') AND NOT b.is_unpaid)
                   OR (m.state IN ('sent', 'unknown')
                       AND b.on_delivery AND b.is_long_over IS NOT TRUE)), 0)
            + coalesce(sum(m.fallback_cost) FILTER (
                WHERE b.is_open AND NOT b.is_unpaid AND m.fallback_id IS NULL
                  AND m.state NOT IN ('delivered', 'read', 'skipped')), 0) AS reserved,
            coalesce(sum(m.cost) FILTER (
                WHERE m.state IN ('delivered', 'read')
                   OR (m.state IN ('sent', 'unknown') AND NOT b.on_delivery)), 0) AS spent
        FROM delivery_message m
        WHERE m.batch_id = b.id AND m.id BETWEEN b.first_id AND b.last_id
        GROUP BY 1, 2
        UNION ALL
        SELECT booked.branch_id, booked.month, 0, 0 FROM delivery_batchcost booked
        WHERE booked.batch_id = b.id AND b.charged_from IS NOT NULL
    ) c
    GROUP BY b.tenant_id, b.run_id, b.id, c.branch_id, c.month
    ON CONFLICT (batch_id, branch_id, month) DO UPDATE
        SET reserved = excluded.reserved, spent = excluded.spent
    RETURNING new.run_id, new.branch_id, new.month, new.reserved - coalesce(old.reserved, 0),
              new.spent - coalesce(old.spent, 0)
"""


def settle_due() -> None:
    """Settle what changed, tenant by tenant, at most `BATCHES_A_SWEEP` batches of each."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tenant_id FROM delivery_dispatchbatch WHERE NOT is_settled")
        tenants = [tenant_id for (tenant_id,) in cursor.fetchall()]
    for tenant_id in tenants:
        # In no order: whatever keeps changing must not keep the rest from being settled.
        unsettled = DispatchBatch.objects.filter(tenant_id=tenant_id, is_settled=False)
        batch_ids = sorted(unsettled.order_by("?").values_list("pk", flat=True)[:BATCHES_A_SWEEP])
        for start in range(0, len(batch_ids), BATCHES_AT_ONCE):
            with tenant_scope(tenant_id):
                settle_batches(batch_ids[start : start + BATCHES_AT_ONCE])


def expect_no_more() -> None:
    """Let go of what was reserved for charges that no vendor will report any more."""
    over = SendRun.objects.filter(finished_at__lt=clock.now() - LAST_REPORTS)
    promised = BatchCost.objects.filter(reserved__gt=0, run_id__in=over.values("pk"))
    DispatchBatch.objects.filter(pk__in=promised.values("batch_id")).update(is_settled=False)


@transaction.atomic
def settle_run(run: SendRun) -> None:
    """Settle the run at its end, in the caller's transaction: no step follows any more."""
    batches = DispatchBatch.objects.filter(run_id=run.pk)
    if run.mode == SendRun.Mode.CASCADE:
        promised = BatchCost.objects.filter(run_id=run.pk, reserved__gt=0).values("batch_id")
        changed = batches.filter(Q(is_settled=False) | Q(pk__in=promised))
    else:
        changed = batches.filter(is_settled=False)
    settle_batches(list(changed.values_list("pk", flat=True)))


@transaction.atomic
def settle_batches(batch_ids: Sequence[int], *, within_limits: bool = False) -> None:
    """Book what the batches' messages hold and cost now; nothing when nothing changed.

    `within_limits`: what they hold more is asked for. Raises `BudgetExceeded` when the money
    does not reach.

    The batches' rows are locked first: who changes messages takes that lock afterwards and
    marks the batch unsettled again, and of two that settle it the second finds no difference.
    """
    if not batch_ids:
        return
    values: dict[str, Any] = {
        "batches": sorted(batch_ids),
        "on_delivery": _charged_on_delivery(batch_ids),
        "last_reports": LAST_REPORTS,
        "budget": BUDGET,
        "zone": current_tenant().time_zone,
    }
    with connection.cursor() as cursor:
        cursor.execute(LOCK, values)
        cursor.execute(RECOMPUTE, values)
        changes = [Change(*row) for row in cursor.fetchall()]
        cursor.execute(
            "UPDATE delivery_dispatchbatch SET is_settled = true WHERE id = ANY(%(batches)s)",
            values,
        )
    _book([change for change in changes if change.reserved or change.spent], within_limits)


def _charged_on_delivery(batch_ids: Sequence[int]) -> list[uuid.UUID]:
    """The batches' accounts whose vendor charges what was delivered, not what it took."""
    used = DispatchBatch.objects.filter(pk__in=batch_ids).values("account_id")
    accounts = ProviderAccount.objects.filter(pk__in=used).values_list("pk", "provider")
    return [pk for pk, provider in accounts if vendor(provider).charged_on == "delivered"]


def _book(changes: Sequence[Change], within_limits: bool) -> None:
    """One movement a month: a run is charged to the month in which it was frozen, or went on."""
    runs = SendRun.objects.filter(pk__in={change.run_id for change in changes})
    frozen_in = {run.pk: month_of(run.frozen_at or run.created_at) for run in runs}
    sums: dict[dt.date, dict[uuid.UUID | None, tuple[Decimal, Decimal]]] = defaultdict(dict)
    for run_id, branch_id, month, reserved, spent in changes:
        of_month = sums[month or frozen_in[run_id]]
        held, paid = of_month.get(branch_id, (Decimal(0), Decimal(0)))
        of_month[branch_id] = (held + reserved, paid + spent)
    for month in sorted(sums):
        policy.book(changes=sums[month], month=month, within_limits=within_limits)
