"""Whom to tell what became of a campaign, in the transaction in which it did."""

import uuid
from collections.abc import Collection

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.campaigns import approver_staff_ids
from marketing.core import services as core
from marketing.core.actor import Actor
from marketing.core.ids import lower_bound
from marketing.core.models import AuditEntry, Staff

SUBMITTED, APPROVED, REJECTED = "campaign.submitted", "campaign.approved", "campaign.rejected"
CHANGES_ASKED, COMMENTED, STOPPED = (
    "campaign.changes_asked",
    "campaign.commented",
    "campaign.stopped",
)
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
