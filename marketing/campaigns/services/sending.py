"""What people do with an approved campaign: schedule, send, pause, resume, cancel."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign, CampaignRun, CampaignStatus, CampaignType
from marketing.campaigns.rules import Action
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.campaigns import latest_run
from marketing.campaigns.selectors.progress import campaign_metrics
from marketing.campaigns.services import checks, money, notices, own_codes
from marketing.campaigns.services.approval import approve_now, in_place_of, require_approver
from marketing.campaigns.services.transitions import event_payload, lock, move, require_allowed
from marketing.campaigns.tasks import start_run
from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, ValidationFailed
from marketing.core.tenancy import current_tenant_id
from marketing.delivery import services as delivery
from marketing.delivery.models import SendRun
from marketing.delivery.selectors import (
    ACCOUNT_PAUSED,
    BUDGET,
    lock_stopped_account_of,
    why_stopped,
)
from marketing.policy import selectors as policy

OPEN_RUN = (SendRun.State.READY, SendRun.State.FROZEN, SendRun.State.PAUSED)


@transaction.atomic
def schedule_campaign(
    *,
    actor: Actor,
    campaign: Campaign,
    scheduled_at: dt.datetime | None = None,
    version: int | None = None,
) -> Campaign:
    """Let the campaign go by itself, at `scheduled_at` or at the time it was planned for.

    A time other than the approved one needs a new approval, so it is refused here; so are
    a past time, none at all, and one in a month whose money does not reach (023).
    """
    actor.require("campaign.send")
    now = clock.now()
    campaign = lock(campaign, version=version)
    require_allowed(campaign, Action.SCHEDULE)
    values: dict[str, Any] = {}
    if scheduled_at is not None:
        scheduled_at = scheduled_at.astimezone(dt.UTC)
        if campaign.scheduled_at not in (None, scheduled_at):
            raise ValidationFailed(
                fields={
                    "scheduledAt": [_("Another time was approved; edit the campaign to change it.")]
                }
            )
    if campaign.scheduled_at is None and scheduled_at is not None:
        if campaign.approved_by_id and plan.fingerprint(campaign) != campaign.approved_hash:
            raise Conflict(
                _(
                    "The segment, the message or the offer changed since the approval; "
                    "submit it again."
                )
            )
        campaign.scheduled_at = scheduled_at
        values = {"scheduled_at": scheduled_at, "approved_hash": plan.fingerprint(campaign)}
    checks.require_schedule(campaign, now)
    due_at = checks.next_due(campaign, now)
    if due_at is None:
        raise ValidationFailed(fields={"scheduledAt": [_("Say when it should go.")]})
    money.hold_as_counted(campaign, due_at)
    move(campaign, Action.SCHEDULE, CampaignStatus.SCHEDULED, next_run_at=due_at, **values)
    audit.record(actor, "campaign.schedule", campaign, {"nextRunAt": due_at})
    return campaign


def schedule_approved(campaign: Campaign) -> None:
    """The engine schedules what was approved for a later time; in the caller's transaction.

    A date that came since the approval is due by then. Where none comes any more, a person must
    say what becomes of it.
    """
    actor = Actor.system(current_tenant_id())
    approved_at = campaign.approved_at or campaign.submitted_at or campaign.created_at
    due_at = checks.next_due(campaign, approved_at)
    move(campaign, Action.SCHEDULE, CampaignStatus.SCHEDULED, next_run_at=due_at)
    audit.record(actor, "campaign.schedule", campaign, {"nextRunAt": due_at})
    if due_at is None:
        halt(
            campaign,
            rules.MISSED_SCHEDULE,
            _("The last of its dates had passed when it was approved."),
        )


@transaction.atomic
def send_campaign(*, actor: Actor, campaign: Campaign, version: int | None = None) -> CampaignRun:
    """Begin to send now; of two calls at once one begins and the other is refused (020).

    Raises 021 and 022 when the message can no longer be sent, 023 when the budget is too
    small. The audience is frozen by a task after the commit; while the channel's account is
    stopped the campaign is paused instead, and goes with the account.
    """
    actor.require("campaign.send")
    campaign = lock(campaign, version=version)
    require_allowed(campaign, Action.SEND)
    checks.require_sendable(campaign)
    now = clock.now()
    money.hold_as_counted(campaign, now)
    return begin_run(actor=actor, campaign=campaign, action=Action.SEND, due_at=now)


def begin_run(
    *, actor: Actor, campaign: Campaign, action: Action, due_at: dt.datetime
) -> CampaignRun:
    """Move the campaign to sending and make its next run; in the caller's transaction.

    While the channel's account is stopped nobody is frozen: the campaign pauses at once, and
    begins with the people of then when the account works again.
    """
    move(campaign, action, CampaignStatus.SENDING, **NOT_PAUSED, next_run_at=None)
    send_run = delivery.create_run(
        actor=actor,
        kind=SendRun.Kind.CAMPAIGN,
        purpose=plan.purpose(campaign),
        mode=campaign.channel_mode,
        steps=plan.steps(campaign),
        campaign_id=campaign.pk,
        label=campaign.name,
        branch_ids=campaign.branch_ids,
        charged_branch_id=plan.charged_branch_id(campaign),
    )
    number = next_number(campaign)
    run = CampaignRun.objects.create(
        campaign=campaign, number=number, send_run=send_run, due_at=due_at
    )
    audit.record(
        actor,
        "campaign.send",
        campaign,
        {"run": number, "recipients": campaign.estimated_recipients},
    )
    if stopped := policy.lock_stopped_account(campaign.channel):
        halt(campaign, ACCOUNT_PAUSED, stopped.circuit_reason)
    else:
        enqueue_start(run)
    return run


def next_number(campaign: Campaign) -> int:
    """The number of the campaign's next run; the caller holds the campaign's row."""
    return (campaign.runs.aggregate(last=Max("number"))["last"] or 0) + 1


def enqueue_start(run: CampaignRun) -> None:
    """Let a task freeze the run's audience, once the transaction is committed."""
    tenant_id, run_id = str(current_tenant_id()), str(run.pk)
    transaction.on_commit(lambda: start_run.delay(tenant_id, run_id))


NOT_PAUSED: dict[str, Any] = {
    "paused_from": "",
    "pause_reason": "",
    "pause_detail": "",
    "short_of": None,
}


@transaction.atomic
def pause_campaign(*, actor: Actor, campaign: Campaign, version: int | None = None) -> Campaign:
    """Stop; what a worker is sending this moment finishes."""
    actor.require("campaign.send")
    campaign = lock(campaign, version=version)
    require_allowed(campaign, Action.PAUSE)
    stop(campaign, Action.PAUSE, rules.PAUSED_BY_PERSON)
    if run := latest_run(campaign):
        delivery.pause_run(run=run.send_run, reason=rules.PAUSED_BY_PERSON)
    audit.record(actor, "campaign.pause", campaign)
    return campaign


def stop(campaign: Campaign, action: Action, reason: str, detail: str = "") -> None:
    """Move the campaign to paused, remembering from where; in the caller's transaction."""
    move(
        campaign,
        action,
        CampaignStatus.PAUSED,
        paused_from=campaign.status,
        pause_reason=reason,
        pause_detail=detail,
    )


def halt(campaign: Campaign, reason: str, detail: str) -> None:
    """The engine stops the campaign by itself; in the caller's transaction.

    For want of money it holds none either, so that what it leaves may be another's.
    """
    stop(campaign, Action.STOP, reason, detail)
    if reason == BUDGET:
        money.release(campaign)
    _tell_of_stop(campaign, reason, detail)


def wait_for_somebody(campaign: Campaign, reason: str, detail: str) -> None:
    """What made the campaign stand still is over, but it cannot go on: a person must look."""
    Campaign.objects.filter(pk=campaign.pk).update(
        pause_reason=reason, pause_detail=detail, short_of=None, version=F("version") + 1
    )
    campaign.refresh_from_db()
    _tell_of_stop(campaign, reason, detail)


def _tell_of_stop(campaign: Campaign, reason: str, detail: str) -> None:
    audit.record(
        Actor.system(current_tenant_id()),
        "campaign.stop",
        campaign,
        {"reason": reason, "detail": detail},
    )
    notices.tell_of_stop(campaign, reason, detail)


def halt_if_stopped(campaign: Campaign, run: CampaignRun) -> None:
    """Pause the frozen run at once when an account of its is stopped, as a worker would soon."""
    if stopped := lock_stopped_account_of(run.send_run):
        reason, detail = ACCOUNT_PAUSED, why_stopped(stopped)
        delivery.pause_run(run=run.send_run, reason=reason, detail=detail)
        halt(campaign, reason, detail)


@transaction.atomic
def resume_campaign(
    *, actor: Actor, campaign: Campaign, version: int | None = None, at_once: bool = False
) -> Campaign:
    """Go back to where the campaign was paused.

    A campaign that was stopped because it is not what was approved needs an approver, who
    approves it as it stands now; one whose template WhatsApp stopped, that this is approved again
    (022). A one-time campaign whose time has passed goes at once, and so does a run that was not
    begun; a recurring campaign waits for its next time, but `at_once`, which makes up for the one
    it missed. Raises `BudgetExceeded` while there is no money for what a run that was stopped for
    it has left.
    """
    actor.require("campaign.send")
    now = clock.now()
    campaign = lock(campaign, version=version)
    require_allowed(campaign, Action.RESUME)
    figures: dict[str, Any] = {}
    if campaign.pause_reason in rules.REAPPROVAL_REASONS:
        mandate = require_approver(actor, campaign)
        # It was judged at its freeze: what is approved goes at once.
        approved = approve_now(campaign, now, now)
        approved |= {"approved_by": actor.user, "approved_at": now}
        Campaign.objects.filter(pk=campaign.pk).update(**approved)
        figures = {
            "recipients": approved["approved_recipients"],
            "cost": approved["approved_cost"],
        } | in_place_of(mandate)
    if campaign.pause_reason in rules.TEMPLATE_REASONS:
        run = latest_run(campaign)
        checks.require_templates_approved(campaign, run.send_run if run else None)
    audit.record(actor, "campaign.resume", campaign, {"after": campaign.pause_reason} | figures)
    notices.settle(campaign, notices.STOPPED)
    resume_runs(campaign)
    if campaign.paused_from == CampaignStatus.SCHEDULED:
        _resume_waiting(actor, campaign, now, at_once)
    else:
        _resume_sending(actor, campaign)
    return campaign


def _resume_waiting(actor: Actor, campaign: Campaign, now: dt.datetime, at_once: bool) -> None:
    if actor.is_system:
        # A run of before had stopped; a date that came meanwhile goes late, or asks.
        due_at = campaign.next_run_at
    else:
        due_at = now if at_once else checks.next_due(campaign, now)
        due_at = due_at and max(due_at, now)
    if due_at is None:
        raise ValidationFailed(
            _("This recurrence is over: send it once more now, or cancel the campaign.")
        )
    move(campaign, Action.RESUME, CampaignStatus.SCHEDULED, **NOT_PAUSED, next_run_at=due_at)
    money.hold_for_next_run(campaign, max(due_at, now))


def _resume_sending(actor: Actor, campaign: Campaign) -> None:
    run = latest_run(campaign)
    if run is not None and run.send_run.state == SendRun.State.READY:
        # Nothing was frozen: begin again with the content and audience of now.
        delivery.cancel_run(run=run.send_run)
        # Who says so knows how late it is; for the engine it stays due when it was.
        due_at = run.due_at if actor.is_system else clock.now()
        begin_run(actor=actor, campaign=campaign, action=Action.RESUME, due_at=due_at)
        return
    move(campaign, Action.RESUME, CampaignStatus.SENDING, **NOT_PAUSED)
    if run is None:
        return
    if run.send_run.state == SendRun.State.DONE:
        # The last messages went out while it was being paused.
        finish(campaign)
    else:
        halt_if_stopped(campaign, run)


def resume_runs(campaign: Campaign) -> None:
    """Let paused runs go on, earlier ones too that have somebody to try again."""
    paused = campaign.runs.filter(send_run__state=SendRun.State.PAUSED)
    for run in paused.select_related("send_run").order_by("number"):
        delivery.resume_run(run=run.send_run)


@transaction.atomic
def cancel_campaign(*, actor: Actor, campaign: Campaign, version: int | None = None) -> Campaign:
    """Never send what has not gone yet."""
    actor.require("campaign.send")
    campaign = lock(campaign, version=version)
    require_allowed(campaign, Action.CANCEL)
    runs = campaign.runs.filter(send_run__state__in=OPEN_RUN).select_related("send_run")
    skipped = 0
    for run in runs.order_by("number"):
        skipped += delivery.cancel_run(run=run.send_run)
        own_codes.revoke(run.send_run)
    move(campaign, Action.CANCEL, CampaignStatus.CANCELLED, **NOT_PAUSED, next_run_at=None)
    audit.record(actor, "campaign.cancel", campaign, {"notSent": skipped})
    return campaign


def finish(campaign: Campaign) -> None:
    """After a run: a recurring campaign waits for its next time, any other is sent.

    A date that came while the run was being sent is due by then: it goes late, or asks.
    """
    due_at = None
    if campaign.campaign_type == CampaignType.RECURRING:
        run, now = latest_run(campaign), clock.now()
        due_at = campaign.next_run_at or checks.next_due(campaign, run.due_at if run else now)
    if due_at is not None:
        move(campaign, Action.FINISH, CampaignStatus.SCHEDULED, next_run_at=due_at)
        money.hold_for_next_run(campaign, max(due_at, clock.now()))
        return
    move(campaign, Action.FINISH, CampaignStatus.SENT, next_run_at=None)
    events.record(
        "campaign.completed", event_payload(campaign) | {"metrics": campaign_metrics(campaign)}
    )
