"""What an approver has to decide, and what was decided."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.campaigns import campaigns_in_sight, waiting_for_approval
from marketing.campaigns.selectors.history import DECISIONS, HistoryItem, decision
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.ids import lower_bound
from marketing.core.models import AuditEntry, Branch, Staff
from marketing.policy import selectors as policy

LOOKS_BACK = dt.timedelta(days=180)


def narrowed(
    campaigns: QuerySet[Campaign],
    *,
    branch: Branch | None = None,
    channel: str = "",
    author: Staff | None = None,
    days: int | None = None,
    over: str = "",
) -> QuerySet[Campaign]:
    """Of the waiting ones those for a branch (the chain's too), on a channel at any step,
    submitted by somebody, at least so many days ago, or over the threshold of people or cost."""
    if branch is not None:
        campaigns = campaigns.filter(Q(branch_ids=None) | Q(branch_ids__contains=[branch.pk]))
    if channel:
        later = Q(further_steps__contains=[{"channel": channel}])
        campaigns = campaigns.filter(Q(channel=channel) | later)
    if author is not None:
        campaigns = campaigns.filter(submitted_by=author.user_id)
    if days:
        campaigns = campaigns.filter(submitted_at__lte=clock.now() - dt.timedelta(days=days))
    config = policy.get_config()
    if over == "recipients":
        most = config.campaign_approval_threshold_recipients
        campaigns = campaigns.filter(estimated_recipients__gte=most)
    if over == "cost":
        dearest = config.approval_threshold_cost
        campaigns = (
            campaigns.none() if dearest is None else campaigns.filter(estimated_cost__gte=dearest)
        )
    return campaigns


def branches_to_decide_for(actor: Actor) -> QuerySet[Branch]:
    """The active branches for which the actor decides, by own right or in somebody's place."""
    reaches = [actor.branch_ids] if actor.approves_itself else []
    reaches += [away.branch_ids for away in actor.stands_in_for]
    branches = Branch.objects.filter(is_active=True)
    if None in reaches:
        return branches
    return branches.filter(pk__in=frozenset().union(*(ids for ids in reaches if ids)))


def authors_waiting(actor: Actor) -> QuerySet[Staff]:
    """Whose campaigns wait for the actor."""
    waiting = waiting_for_approval(actor).order_by().values("submitted_by")
    return Staff.objects.filter(user__in=waiting)


@dataclass(frozen=True)
class Decided:
    """One decision and the campaign it was about."""

    campaign: Campaign
    item: HistoryItem
    pk: uuid.UUID


def decided(actor: Actor, *, by_me: bool, before: uuid.UUID | None, size: int) -> Sequence[Decided]:
    """The decisions of the last half year about what the actor may look at, newest first."""
    in_sight = campaigns_in_sight(actor)
    entries = AuditEntry.objects.filter(
        id__gte=lower_bound(clock.now() - LOOKS_BACK),
        object_type=Campaign._meta.label_lower,
        action__in=DECISIONS,
        object_id__in=in_sight.values("pk"),
    ).order_by("-id")
    if by_me:
        entries = entries.filter(user_id=actor.user_id)
    if before is not None:
        entries = entries.filter(id__lt=before)
    found = list(entries[:size])
    campaigns = Campaign.objects.in_bulk({entry.object_id for entry in found})
    return [
        Decided(campaigns[entry.object_id], decision(entry), entry.pk)
        for entry in found
        if entry.object_id in campaigns
    ]
