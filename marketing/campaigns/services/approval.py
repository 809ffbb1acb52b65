"""Two pairs of eyes: submit, approve, reject, ask for changes."""

import datetime as dt
import uuid
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign, CampaignStatus
from marketing.campaigns.rules import Action
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.campaigns import Mandate, authors_with, mandate_for
from marketing.campaigns.selectors.history import last_act
from marketing.campaigns.services import checks, money, notices
from marketing.campaigns.services.transitions import (
    event_payload,
    lock,
    move,
    not_allowed,
    require_allowed,
)
from marketing.campaigns.services.words import require_words
from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, DomainError, Forbidden

NOT_SENT_BACK: dict[str, Any] = {"rejected_by": None, "rejected_at": None, "rejection_reason": ""}


@transaction.atomic
def submit_campaign(*, actor: Actor, campaign: Campaign, version: int | None = None) -> Campaign:
    """Ask for approval, or have it at once where the chain asks for none.

    Raises what `checks.require_whole` and `checks.require_people` raise, and where nobody has to
    approve `BudgetExceeded`.
    """
    actor.require("campaign.create")
    now = clock.now()
    campaign = lock(campaign, version=version)
    require_allowed(campaign, Action.SUBMIT)
    checks.require_whole(campaign, now)
    checks.require_own_messages(actor, campaign)
    estimate = plan.estimate(campaign, now)
    checks.require_people(campaign, estimate)
    campaign.estimated_recipients, campaign.estimated_cost = estimate.total, estimate.cost
    reasons = checks.approval_reasons(campaign, recipients=estimate.total, cost=estimate.cost)
    values: dict[str, Any] = NOT_SENT_BACK | {
        "requires_approval": bool(reasons),
        "estimated_recipients": estimate.total,
        "estimated_cost": estimate.cost,
        "counted": estimate.to_json(),
        "counted_at": now,
        "submitted_by": actor.user,
        "submitted_at": now,
        "author_ids": authors_with(actor, campaign),
    }
    to = CampaignStatus.PENDING_APPROVAL
    if not reasons:
        to = CampaignStatus.APPROVED
        money.hold(campaign, estimate, money.goes_at(campaign, now))
        values |= approved_plan(campaign)
    move(campaign, Action.SUBMIT, to, **values)
    audit.record(
        actor,
        "campaign.submit",
        campaign,
        {"recipients": estimate.total, "cost": estimate.cost, "approvalBecause": reasons},
    )
    if reasons:
        notices.tell_of_submission(actor, campaign)
    return campaign


def ids_to_recount() -> list[uuid.UUID]:
    """The open tenant's campaigns that wait for approval and were not counted of late."""
    is_old = Q(counted_at=None) | Q(counted_at__lt=clock.now() - rules.COUNT_HOLDS)
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
def approve_campaign(
    *, actor: Actor, campaign: Campaign, version: int | None = None, seen: str = ""
) -> Campaign:
    """Let the campaign go as it stands now: what was approved is kept as a hash.

    Raises `Forbidden` to its authors and to whoever lacks one of its branches,
    `BudgetExceeded` when the money does not reach, `Conflict` on a stale `version` or where the
    approver has `seen` something else (the fingerprint of what was looked at), and
    `InvalidCampaignStatus` with what happened when somebody else was faster.
    """
    now = clock.now()
    campaign, mandate = _open_for_decision(actor, campaign, Action.APPROVE, version)
    if seen and seen != plan.fingerprint(campaign):
        raise Conflict(_("Its message or its audience changed while you were looking. Look again."))
    goes_at = money.goes_at(campaign, now)
    values = approve_now(campaign, now, goes_at) | {"approved_by": actor.user, "approved_at": now}
    move(campaign, Action.APPROVE, CampaignStatus.APPROVED, **values)
    audit.record(
        actor,
        "campaign.approve",
        campaign,
        {"recipients": campaign.approved_recipients, "cost": campaign.approved_cost}
        | in_place_of(mandate),
    )
    events.record(
        "campaign.approved", event_payload(campaign, actor.user_id), actor_id=actor.user_id
    )
    notices.tell_of_decision(actor, campaign, notices.APPROVED)
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


def require_approver(actor: Actor, campaign: Campaign) -> Mandate:
    """By what right the actor decides on this campaign. Raises `Forbidden` when by none."""
    actor.require("campaign.approve")
    if actor.user_id in campaign.author_ids:
        raise Forbidden(_("You had a hand in this campaign: somebody else must decide on it."))
    mandate = mandate_for(actor, campaign)
    if mandate is None:
        raise Forbidden(
            _(
                "Only an approver who has all of its branches and had no hand in it may decide on"
                " it, or who stands in for one."
            )
        )
    return mandate


def in_place_of(mandate: Mandate) -> dict[str, Any]:
    """What the audit log says of a decision in somebody's place."""
    away = mandate.on_behalf_of
    return {"inPlaceOf": away.name} if away else {}


def _open_for_decision(
    actor: Actor, campaign: Campaign, action: Action, version: int | None
) -> tuple[Campaign, Mandate]:
    """The locked campaign and the actor's right to decide on it.

    Of two approvers at once the second is told what the first did, before anything else.
    """
    campaign = lock(campaign)
    mandate = require_approver(actor, campaign)
    if not rules.is_allowed(action, campaign.status):
        raise _decided_already(campaign, action)
    if version is not None and version != campaign.version:
        raise Conflict(details={"current": campaign.version})
    return campaign, mandate


def _decided_already(campaign: Campaign, action: Action) -> DomainError:
    refusal = not_allowed(campaign, action)
    if last := last_act(campaign):
        refusal.message = f"{last.sentence} {refusal.message}"
        refusal.details["happened"] = {"action": last.action, "by": last.by, "at": last.at}
    return refusal


def approve_now(campaign: Campaign, now: dt.datetime, goes_at: dt.datetime) -> dict[str, Any]:
    """What an approval of the campaign as it stands stores; its money is held from now on, in
    the month in which it goes.

    Raises as submit does, and 023.
    """
    checks.require_sendable(campaign)
    estimate = plan.estimate(campaign, now)
    checks.require_people(campaign, estimate)
    money.hold(campaign, estimate, goes_at)
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
    campaign, mandate = _open_for_decision(actor, campaign, action, version)
    reason = require_words(reason, "reason", _("Say why, so that the author can mend it."))
    move(
        campaign,
        action,
        CampaignStatus.DRAFT,
        rejected_by=actor.user,
        rejected_at=clock.now(),
        rejection_reason=reason,
    )
    audit.record(actor, f"campaign.{action}", campaign, {"reason": reason} | in_place_of(mandate))
    kind = notices.REJECTED if action == Action.REJECT else notices.CHANGES_ASKED
    notices.tell_of_decision(actor, campaign, kind, reason)
    return campaign
