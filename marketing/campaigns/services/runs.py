"""What the engine does: begin what is due, freeze the audience, take news from delivery."""

import datetime as dt
import logging
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign, CampaignRun, CampaignStatus, CampaignType
from marketing.campaigns.rules import Action
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.campaigns import latest_run
from marketing.campaigns.services import checks, money, own_codes
from marketing.campaigns.services.sending import (
    begin_run,
    enqueue_start,
    finish,
    halt,
    resume_campaign,
    resume_runs,
    schedule_approved,
    wait_for_somebody,
)
from marketing.campaigns.services.transitions import event_payload, lock
from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.errors import BudgetExceeded, DomainError
from marketing.core.templatetags.formats import moment
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.delivery import services as delivery
from marketing.delivery.models import SendRun
from marketing.delivery.selectors import ACCOUNT_PAUSED, BUDGET, runs_waiting_for
from marketing.policy import selectors as policy

logger = logging.getLogger(__name__)

# What was begun may wait so long for a worker, however strict the chain is with late starts.
QUEUED_MINUTES = 5


class RunHeld(DomainError):
    """What would go is not what was approved."""

    name = "RUN_HELD"


def waiting_campaign_ids() -> list[uuid.UUID]:
    """Campaigns the engine owes something: to be scheduled, begun, begun again or gone on with."""
    now = clock.now()
    has_a_time = Q(scheduled_at__isnull=False) | Q(campaign_type=CampaignType.RECURRING)
    lost = CampaignRun.objects.filter(send_run__state=SendRun.State.READY).values("campaign_id")
    waiting = Campaign.objects.filter(
        Q(has_a_time, status=CampaignStatus.APPROVED)
        | Q(status=CampaignStatus.SCHEDULED, next_run_at__lte=now)
        | Q(status=CampaignStatus.SENDING, pk__in=lost)
        | Q(status=CampaignStatus.PAUSED, pause_reason=BUDGET)
    )
    return list(waiting.order_by("next_run_at", "pk").values_list("pk", flat=True))


@transaction.atomic
def run_if_due(*, campaign_id: uuid.UUID) -> None:
    """Schedule what was approved for a later time, begin what is due, repeat a lost start, go on
    with what waited for money that is there by now.
    """
    campaign = lock(Campaign(pk=campaign_id))
    if campaign.status == CampaignStatus.APPROVED:
        schedule_approved(campaign)
    if campaign.status == CampaignStatus.SCHEDULED:
        _begin_due_run(campaign)
    elif campaign.status == CampaignStatus.SENDING:
        run = latest_run(campaign)
        if run is not None and run.send_run.state == SendRun.State.READY:
            enqueue_start(run)
    elif campaign.status == CampaignStatus.PAUSED and campaign.pause_reason == BUDGET:
        _go_on_with_money(campaign)


def _go_on_with_money(campaign: Campaign) -> None:
    """Go on if the money reaches: a limit was raised, a month began, another gave some back.

    Nobody is counted while what it lacked when it last asked is not there. A run that was not
    frozen begins anew, with the people of now; long after its time it asks.
    """
    lacked = campaign.short_of or {}
    if not policy.reaches({_branch_id(key): Decimal(asked) for key, asked in lacked.items()}):
        return
    run = latest_run(campaign)
    never_begun = run is not None and run.send_run.state == SendRun.State.READY
    try:
        with transaction.atomic():
            if never_begun:
                now = clock.now()
                money.hold(campaign, plan.estimate(campaign, now), now)
            resume_campaign(actor=Actor.system(current_tenant_id()), campaign=campaign)
    except BudgetExceeded as refusal:
        _keep_shortfall(campaign, refusal)
    except DomainError as error:
        wait_for_somebody(lock(campaign), _pause_reason(error), " ".join(error.sentences))


def _keep_shortfall(campaign: Campaign, refusal: BudgetExceeded) -> None:
    lacking = {short["branchId"] or "": short["asked"] for short in refusal.details["shortfalls"]}
    Campaign.objects.filter(pk=campaign.pk).update(short_of=lacking)


def _branch_id(key: str) -> uuid.UUID | None:
    return uuid.UUID(key) if key else None


def _begin_due_run(campaign: Campaign) -> None:
    due_at = campaign.next_run_at
    if due_at is None or due_at > clock.now():
        return
    if _is_late(due_at):
        _ask_whether_late(campaign, due_at)
        return
    try:
        with transaction.atomic():
            checks.require_sendable(campaign)
            actor = Actor.system(current_tenant_id())
            begin_run(actor=actor, campaign=campaign, action=Action.SEND, due_at=due_at)
    except DomainError as error:
        halt(lock(campaign), _pause_reason(error), " ".join(error.sentences))


def _is_late(due_at: dt.datetime, at_least: int = 0) -> bool:
    minutes = max(policy.get_config().stale_schedule_minutes, at_least)
    return rules.is_stale(due_at, clock.now(), minutes)


def _ask_whether_late(campaign: Campaign, due_at: dt.datetime) -> None:
    """Its time was missed by more than the chain allows: a person must say whether it goes."""
    local = due_at.astimezone(ZoneInfo(current_tenant().time_zone))
    text = _("It was due on %(time)s") % {"time": moment(local)}
    halt(campaign, rules.MISSED_SCHEDULE, text)


@transaction.atomic
def start_run(*, campaign_run_id: uuid.UUID) -> None:
    """Freeze the run's audience and judge it once more; a repeat does nothing.

    The freeze is undone and the campaign paused, with the reason, when the message may no
    longer be sent, when the audience or the cost grew by more than a tenth, when what was
    approved has changed, or when the money does not reach; and unfrozen, when the start was
    kept waiting, for a stopped account or a worker, for longer than the chain allows.
    """
    run = CampaignRun.objects.select_related("send_run").get(pk=campaign_run_id)
    campaign = lock(run.campaign)
    run.send_run.refresh_from_db()
    if campaign.status != CampaignStatus.SENDING or run.send_run.state != SendRun.State.READY:
        return
    if _is_late(run.due_at, at_least=QUEUED_MINUTES):
        _ask_whether_late(campaign, run.due_at)
        return
    try:
        with transaction.atomic():
            checks.require_sendable(campaign)
            now = clock.now()
            codes = own_codes.issue(campaign, run.send_run, now)
            audience = plan.audience(campaign, now, at_once=True)
            frozen = delivery.freeze_run(run=run.send_run, audience=audience)
            own_codes.keep_those_sent(codes, run.send_run, frozen)
            _require_as_approved(campaign, frozen)
    except DomainError as error:
        halt(campaign, _pause_reason(error), " ".join(error.sentences))
        if isinstance(error, BudgetExceeded):
            _keep_shortfall(campaign, error)
        return
    events.record(
        "campaign.sent",
        event_payload(campaign) | {"runId": str(run.pk), "recipientCount": frozen.audience},
    )


def _require_as_approved(campaign: Campaign, frozen: delivery.FreezeResult) -> None:
    """Raises `RunHeld` with `pauseReason` unless this is what was approved."""
    needs_approval = checks.approval_reasons(campaign, recipients=frozen.audience, cost=frozen.cost)
    if not needs_approval and campaign.approved_by_id is None:
        return
    if campaign.approved_by_id is None:
        raise _held("approval_required", _("So many people or so much money needs an approval."))
    if plan.fingerprint(campaign) != campaign.approved_hash:
        raise _held(
            "changed_since_approval",
            _("The segment, the message or the offer changed since the approval."),
        )
    if rules.has_grown(frozen.audience, campaign.approved_recipients or 0):
        raise _held(
            "audience_grown",
            _("Approved were %(approved)s people, now it is %(now)s.")
            % {"approved": campaign.approved_recipients, "now": frozen.audience},
        )
    if rules.has_grown(frozen.cost, campaign.approved_cost or 0):
        raise _held(
            "cost_grown",
            _("Approved was a cost of %(approved).2f, now it is %(now).2f.")
            % {"approved": campaign.approved_cost, "now": frozen.cost},
        )


def _pause_reason(error: DomainError) -> str:
    if isinstance(error, BudgetExceeded):
        return BUDGET
    return str(error.details.get("pauseReason") or error.name.lower())


def _held(reason: str, message: str) -> RunHeld:
    return RunHeld(message, details={"pauseReason": reason})


@transaction.atomic
def note_run_finished(*, send_run_id: uuid.UUID) -> None:
    """A run's last message has gone: the campaign is sent, or waits for its next time."""
    if campaign := _sending_campaign(send_run_id):
        finish(campaign)


@transaction.atomic
def note_run_paused(*, send_run_id: uuid.UUID, reason: str, detail: str = "") -> None:
    """Delivery stopped a run by itself (a provider refuses, the money is gone).

    A run of a campaign that is through was woken for who is tried again: a person must look at
    why it stopped, unless it waits for its account, with which it goes on by itself.
    """
    campaign = _sending_campaign(send_run_id) or _finished_campaign(send_run_id)
    is_paused = SendRun.objects.filter(pk=send_run_id, state=SendRun.State.PAUSED).exists()
    if campaign is None or not is_paused:
        return
    waits = reason == ACCOUNT_PAUSED
    if waits and delivery.resume_if_mended(run_id=send_run_id):
        return
    if campaign.status == CampaignStatus.SENDING or not waits:
        halt(campaign, reason, detail)


@transaction.atomic
def resume_after_outage(*, account_id: uuid.UUID) -> None:
    """The provider account works again, or sends in the place of one that does not: go on.

    Who was frozen for an account waits for that one; what was not begun, for the one that its
    channel's messages would leave by. A campaign that cannot go on stays as it is and keeps no
    other from going.
    """
    stopped = Q(send_run__in=runs_waiting_for(account_id).values("pk"))
    never_begun = Q(
        send_run__state=SendRun.State.READY,
        campaign__status=CampaignStatus.PAUSED,
        campaign__pause_reason=ACCOUNT_PAUSED,
        campaign__channel__in=policy.default_accounts().filter(pk=account_id).values("channel"),
    )
    waiting = CampaignRun.objects.filter(stopped | never_begun).order_by("campaign_id")
    for campaign_id in waiting.values_list("campaign_id", flat=True).distinct():
        try:
            with transaction.atomic():
                _go_on_after_outage(lock(Campaign(pk=campaign_id)))
        except OperationalError:
            raise  # The database's trouble, not the campaign's: the news is handed over again.
        except Exception:
            logger.exception("campaign %s could not go on with its account", campaign_id)


def _go_on_after_outage(campaign: Campaign) -> None:
    """A run of a campaign that is through was tried once more when it stopped; it just goes on."""
    if campaign.status in (CampaignStatus.SENT, CampaignStatus.SCHEDULED):
        resume_runs(campaign)
        return
    if campaign.status != CampaignStatus.PAUSED or campaign.pause_reason != ACCOUNT_PAUSED:
        return
    run = latest_run(campaign)
    never_begun = run is not None and run.send_run.state == SendRun.State.READY
    if never_begun and policy.lock_stopped_account(campaign.channel):
        return
    resume_campaign(actor=Actor.system(current_tenant_id()), campaign=campaign)


def _sending_campaign(send_run_id: uuid.UUID) -> Campaign | None:
    """The locked campaign of the run, if the run is its newest and it is sending."""
    run = CampaignRun.objects.select_related("campaign").filter(send_run_id=send_run_id).first()
    if run is None:
        return None
    campaign = lock(run.campaign)
    is_newest = not campaign.runs.filter(number__gt=run.number).exists()
    return campaign if is_newest and campaign.status == CampaignStatus.SENDING else None


def _finished_campaign(send_run_id: uuid.UUID) -> Campaign | None:
    """The locked campaign of the run, if it is paused and its campaign through for now."""
    paused = CampaignRun.objects.filter(
        send_run_id=send_run_id, send_run__state=SendRun.State.PAUSED
    )
    run = paused.select_related("campaign").first()
    campaign = lock(run.campaign) if run else None
    is_through = campaign and campaign.status in (CampaignStatus.SENT, CampaignStatus.SCHEDULED)
    return campaign if is_through else None
