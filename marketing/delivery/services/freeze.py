"""The freeze: the whole audience becomes message rows in one statement, skipped ones too."""

import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from customers.models import Customer
from marketing.core import clock, events
from marketing.core.errors import Conflict
from marketing.core.nudge import nudge
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.compliance import require_compliant
from marketing.delivery.models import SendRun
from marketing.delivery.plan import plan_channels
from marketing.delivery.services.outbox import write_messages
from marketing.delivery.tasks import finish_run, nudge_dispatch
from marketing.policy import services as policy

BATCH_SIZE = 500


@dataclass(frozen=True)
class FreezeResult:
    """What the freeze wrote: people, those who may go, and the skipped by reason.

    `cost` is that of the dearest path: a cascade may come to its last step for everybody.
    """

    audience: int
    sendable: int
    reasons: dict[str, int]
    cost: Decimal


def freeze_run(*, run: SendRun, audience: QuerySet[Customer]) -> FreezeResult:
    """Write the run's messages for everyone in `audience`, and promise their cost, in the place
    of what was held for the run's campaign.

    One transaction: either every person of the audience has a row, or nothing happened.
    Raises `Conflict` when the run was frozen before, `BudgetExceeded` when the cost does
    not fit the month, `SmsNotRegistered` or `SmsNotInBengali` when a step may not be sent.
    """
    now = clock.now()
    with transaction.atomic():
        if not SendRun.objects.filter(pk=run.pk, state=SendRun.State.READY).update(
            state=SendRun.State.FROZEN, frozen_at=now
        ):
            raise Conflict("This run was started before.")
        plan = plan_channels(run.steps, mode=run.mode, purpose=run.purpose, now=now)
        for step in plan.steps:
            require_compliant(
                version=step.version,
                account=step.account,
                country=plan.tenant.country,
                purpose=plan.purpose,
            )
        # Nobody counts a million people twice: those of the whole chain are at least as many.
        at_most = Customer.objects.count()
        written = write_messages(run, plan, audience, people=at_most, batch_size=BATCH_SIZE)
        # What was held at the approval is for the campaign's next run, not for one tried again.
        held_for = None if run.retry_of else run.campaign_id
        policy.reserve_budget(branch_costs=written.costs, on=now, holder_id=held_for)
        SendRun.objects.filter(pk=run.pk).update(audience=written.people)
        result = FreezeResult(
            audience=written.people,
            sendable=written.people - written.reasons.total(),
            reasons=dict(written.reasons),
            cost=sum(written.costs.values(), Decimal(0)),
        )
        events.record(
            "send_run.frozen",
            {"runId": run.pk, "campaignId": run.campaign_id, "audience": written.people},
        )
        tenant_id, run_id = current_tenant_id(), run.pk
        transaction.on_commit(lambda: _after_commit(tenant_id, run_id, result.sendable))
    return result


def _after_commit(tenant_id: uuid.UUID, run_id: uuid.UUID, sendable: int) -> None:
    if sendable:
        nudge_dispatch()
        return
    nudge(finish_run, str(tenant_id), str(run_id))
