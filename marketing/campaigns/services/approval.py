"""Two pairs of eyes: submit, approve, reject, ask for changes."""

import datetime as dt
import uuid
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from marketing.campaigns.models import Campaign, CampaignStatus
from marketing.campaigns.rules import Action
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.campaigns import author_ids, may_approve
from marketing.campaigns.services import checks, money
from marketing.campaigns.services.transitions import (
    event_payload,
    lock,
    move,
    require_allowed,
)
from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, Forbidden, ValidationFailed

COUNT_HOLDS = dt.timedelta(minutes=10)
NOT_SENT_BACK: dict[str, Any] = {"rejected_by": None, "rejected_at": None, "rejection_reason": ""}


@transaction.atomic
def submit_campaign(*, actor: Actor, campaign: Campaign, version: int | None = None) -> Campaign:
    """Ask for approval, or have it at once where the chain asks for none.

    Raises what `checks.require_whole` raises, `ValidationFailed` for an empty audience, and where
    nobody has to approve `BudgetExceeded`.
    """
    actor.require("campaign.create")
    now = clock.now()
    campaign = lock(campaign, version=version)
    require_allowed(campaign, Action.SUBMIT)
    checks.require_whole(campaign, now)
    estimate = plan.estimate(campaign, now)
    checks.require_people(estimate)
    campaign.estimated_recipients, campaign.estimated_cost = estimate.total, estimate.cost
    reasons = checks.approval_reasons(recipients=estimate.total, cost=estimate.cost)
    values: dict[str, Any] = NOT_SENT_BACK | {
        "requires_approval": bool(reasons),
        "estimated_recipients": estimate.total,
        "estimated_cost": estimate.cost,
        "counted": estimate.to_json(),
        "counted_at": now,
        "submitted_by": actor.user,
        "submitted_at": now,
    }
    to = CampaignStatus.PENDING_APPROVAL
    if not reasons:
        to = CampaignStatus.APPROVED
        money.hold(campaign, estimate, now)
        values |= approved_plan(campaign)
    move(campaign, Action.SUBMIT, to, **values)
    audit.record(
        actor,
        "campaign.submit",
        campaign,
        {"recipients": estimate.total, "cost": estimate.cost, "approvalBecause": reasons},
    )
    return campaign


def ids_to_recount() -> list[uuid.UUID]:
    """The open tenant's campaigns that wait for approval and were not counted of late."""
    is_old = Q(counted_at=None) | Q(counted_at__lt=clock.now() - COUNT_HOLDS)
    waiting = Campaign.objects.filter(is_old, status=CampaignStatus.PENDING_APPROVAL)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def recount(*, campaign_id: uuid.UUID) -> None:
    """Count anew for the approvers, so that their page need not."""
    campaign = Campaign.objects.select_related("template", "segment").get(pk=campaign_id)
    now = clock.now()
    with suppress(DomainError):
        estimate = plan.estimate(campaign, now)
        Campaign.objects.filter(pk=campaign.pk, version=campaign.version).update(
            counted=estimate.to_json(), counted_at=now
        )


@transaction.atomic
def approve_campaign(*, actor: Actor, campaign: Campaign, version: int | None = None) -> Campaign:
    """Let the campaign go as it stands now: what was approved is kept as a hash.

    Raises `Forbidden` to its authors and to whoever lacks one of its branches,
    `BudgetExceeded` when the money does not reach, `Conflict` on a stale `version`.
    """
    now = clock.now()
    campaign = lock(campaign, version=version)
    require_approver(actor, campaign)
    require_allowed(campaign, Action.APPROVE)
    values = approve_now(campaign, now) | {"approved_by": actor.user, "approved_at": now}
    move(campaign, Action.APPROVE, CampaignStatus.APPROVED, **values)
    audit.record(
        actor,
        "campaign.approve",
        campaign,
        {"recipients": campaign.approved_recipients, "cost": campaign.approved_cost},
    )
    events.record(
        "campaign.approved", event_payload(campaign, actor.user_id), actor_id=actor.user_id
    )
    return campaign


@transaction.atomic
def reject_campaign(
    *, actor: Actor, campaign: Campaign, reason: str, version: int | None = None
) -> Campaign:
    """Give the campaign back to its author with the reason, which is required."""
    campaign = _send_back(actor, campaign, Action.REJECT, reason, version)
    events.record(
        "campaign.rejected",
        event_payload(campaign, actor.user_id) | {"reason": campaign.rejection_reason},
        actor_id=actor.user_id,
    )
    return campaign


@transaction.atomic
def ask_for_changes(
    *, actor: Actor, campaign: Campaign, reason: str, version: int | None = None
) -> Campaign:
    """Give the campaign back to its author, saying what to change."""
    return _send_back(actor, campaign, Action.ASK_FOR_CHANGES, reason, version)


def require_approver(actor: Actor, campaign: Campaign) -> None:
    """Raises `Forbidden` unless the actor may approve this campaign."""
    actor.require("campaign.approve")
    if actor.user_id in author_ids(campaign):
        raise Forbidden(_("You had a hand in this campaign: somebody else must decide on it."))
    if not may_approve(actor, campaign):
        raise Forbidden(_("Only an approver who has all of its branches may decide on it."))


def approve_now(campaign: Campaign, now: dt.datetime) -> dict[str, Any]:
    """What an approval of the campaign as it stands stores; its money is held from now on.

    Raises as submit does, and 023.
    """
    checks.require_content(campaign)
    estimate = plan.estimate(campaign, now)
    checks.require_people(estimate)
    money.hold(campaign, estimate, now)
    campaign.estimated_recipients, campaign.estimated_cost = estimate.total, estimate.cost
    return approved_plan(campaign) | {
        "estimated_recipients": estimate.total,
        "estimated_cost": estimate.cost,
        "counted": estimate.to_json(),
        "counted_at": now,
    }


def approved_plan(campaign: Campaign) -> dict[str, Any]:
    """Hash and figures of what is approved, from the campaign's newest estimate."""
    return {
        "approved_hash": plan.fingerprint(campaign),
        "approved_recipients": campaign.estimated_recipients,
        "approved_cost": campaign.estimated_cost,
    }


def _send_back(
    actor: Actor, campaign: Campaign, action: Action, reason: str, version: int | None
) -> Campaign:
    campaign = lock(campaign, version=version)
    require_approver(actor, campaign)
    require_allowed(campaign, action)
    if not reason.strip():
        raise ValidationFailed(fields={"reason": [_("Say why, so that the author can mend it.")]})
    move(
        campaign,
        action,
        CampaignStatus.DRAFT,
        rejected_by=actor.user,
        rejected_at=clock.now(),
        rejection_reason=reason.strip(),
    )
    audit.record(actor, f"campaign.{action}", campaign, {"reason": campaign.rejection_reason})
    return campaign
