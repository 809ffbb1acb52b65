"""Whom to tell what became of a campaign, in the transaction in which it did."""

import uuid
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.campaigns import approver_staff_ids
from marketing.core import services as core
from marketing.core.actor import MANAGERS, Actor, with_reach
from marketing.core.ids import lower_bound
from marketing.core.models import AuditEntry, Branch, Staff

SUBMITTED, APPROVED, REJECTED = "campaign.submitted", "campaign.approved", "campaign.rejected"
CHANGES_ASKED, COMMENTED, STOPPED = (
    "campaign.changes_asked",
    "campaign.commented",
    "campaign.stopped",
)
BUDGET_OF_BRANCH, BUDGET_OF_CHAIN = "budget.branch_threshold", "budget.chain_threshold"
TAKES_PART = ("comment", "approve", "reject", "ask_for_changes")
EXCERPT = 200


def tell_of_submission(actor: Actor, campaign: Campaign) -> None:
    """Everybody who may decide on it."""
    _tell(
        SUBMITTED,
        campaign,
        approver_staff_ids(campaign),
        by=actor.label,
        recipients=campaign.estimated_recipients,
        cost=campaign.estimated_cost,
    )


def tell_of_decision(actor: Actor, campaign: Campaign, kind: str, reason: str = "") -> None:
    """Its authors; and nobody else need decide any more."""
    settle(campaign)
    _tell(kind, campaign, _authors(campaign, actor), by=actor.label, reason=_excerpt(reason))


def tell_of_comment(actor: Actor, campaign: Campaign, text: str) -> None:
    """Its authors and whoever said or decided something about it before."""
    spoke = AuditEntry.objects.filter(
        object_type=campaign._meta.label_lower,
        object_id=campaign.pk,
        id__gte=lower_bound(campaign.created_at),
        action__in=[f"campaign.{act}" for act in TAKES_PART],
    )
    others = set(spoke.order_by().values_list("user_id", flat=True).distinct())
    told = _staff_of({*campaign.author_ids, *others} - {actor.user_id})
    _tell(COMMENTED, campaign, told, by=actor.label, text=_excerpt(text), again=True)


def tell_of_stop(campaign: Campaign, reason: str, detail: str) -> None:
    """Its authors; and, when only an approver can let it go on, who can."""
    told = _staff_of(campaign.author_ids)
    if reason in rules.REAPPROVAL_REASONS:
        told = [*told, *approver_staff_ids(campaign)]
    _tell(STOPPED, campaign, told, reason=reason, detail=_excerpt(detail))


def tell_of_budget(reached: Mapping[str, Any]) -> None:
    """A branch's managers, or for the chain all of them: its limit binds every branch.

    `reached` is the payload of `budget.threshold_reached`, which comes once a month and row; no
    amounts are told, since not every manager sees the chain's.
    """
    branch_id, limit = reached["branchId"], Decimal(reached["limit"])
    used = Decimal(reached["reserved"]) + Decimal(reached["spent"])
    managers = with_reach(Staff.objects.filter(is_active=True, role__in=MANAGERS))
    told = [
        person.pk
        for person in managers.select_related("user").order_by("pk")
        if branch_id is None or Actor.for_staff(person).has_branch(uuid.UUID(branch_id))
    ]
    branch = Branch.objects.filter(pk=branch_id).first() if branch_id else None
    core.notify(
        BUDGET_OF_BRANCH if branch_id else BUDGET_OF_CHAIN,
        staff_ids=told,
        key=f"{branch_id or 'chain'}:{reached['month']}",
        facts={
            "branch": branch.name if branch else "",
            "percent": int(100 * used / limit) if limit else 100,
            "month": reached["month"],
        },
    )


def settle(campaign: Campaign, kind: str = SUBMITTED) -> None:
    """It waits for nobody any more: whoever was asked to look need not."""
    core.settle(kind, target_id=campaign.pk)


def settle_all(campaign: Campaign) -> None:
    """It is no more: nobody need look at anything about it."""
    for kind in (SUBMITTED, APPROVED, REJECTED, CHANGES_ASKED, COMMENTED, STOPPED):
        settle(campaign, kind)


def _authors(campaign: Campaign, actor: Actor) -> list[uuid.UUID]:
    return _staff_of({*campaign.author_ids} - {actor.user_id})


def _staff_of(user_ids: Collection[uuid.UUID | None]) -> list[uuid.UUID]:
    known = [user_id for user_id in user_ids if user_id is not None]
    return list(Staff.objects.filter(user_id__in=known).values_list("pk", flat=True))


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"


def _tell(
    kind: str,
    campaign: Campaign,
    staff_ids: Collection[uuid.UUID],
    *,
    again: bool = False,
    **facts: object,
) -> None:
    """Each state of the campaign tells once; what may be said `again` in it has its own key."""
    key = f"{campaign.pk}:{uuid.uuid4() if again else campaign.version}"
    core.notify(
        kind,
        staff_ids=staff_ids,
        key=key,
        target_id=campaign.pk,
        facts={"campaign": campaign.name} | facts,
    )
