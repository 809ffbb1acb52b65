"""Whose campaigns an actor may see and decide on."""

import uuid

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Func, IntegerField, OuterRef, Q, QuerySet

from marketing.campaigns.models import Campaign, CampaignRun, CampaignStatus
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.models import AuditEntry, Branch


def campaigns_for_actor(actor: Actor) -> QuerySet[Campaign]:
    """Campaigns whose branches are all the actor's; those of the whole chain need every branch."""
    campaigns = Campaign.objects.all()
    if actor.branch_ids is not None:
        campaigns = campaigns.filter(branch_ids__contained_by=list(actor.branch_ids))
    return campaigns


# What is planned for certain, goes or went; what others still write is theirs alone.
GOING = (
    CampaignStatus.SCHEDULED,
    CampaignStatus.SENDING,
    CampaignStatus.SENT,
    CampaignStatus.PAUSED,
)


def campaigns_touching(actor: Actor) -> QuerySet[Campaign]:
    """The actor's campaigns, and those of others that go to her branches too.

    Of the latter she may know name, time and state; only her own can be opened (`may_open`).
    """
    if actor.branch_ids is None:
        return campaigns_for_actor(actor)
    to_hers = Q(branch_ids=None) | Q(branch_ids__overlap=list(actor.branch_ids))
    return campaigns_for_actor(actor) | Campaign.objects.filter(to_hers, status__in=GOING)


def may_open(actor: Actor, campaign: Campaign) -> bool:
    """Whether `campaigns_for_actor` has it."""
    return actor.branch_ids is None or (
        campaign.branch_ids is not None and actor.branch_ids.issuperset(campaign.branch_ids)
    )


def get_campaign_for_actor(actor: Actor, pk: uuid.UUID) -> Campaign:
    """The campaign with its template, segment and `branch_names`. Raises `NotFound`."""
    campaigns = _with_branch_names(campaigns_for_actor(actor)).select_related(
        "template", "segment", "created_by__staff", "submitted_by__staff", "approved_by__staff"
    )
    campaign = campaigns.filter(pk=pk).first() if actor.can("campaign.view") else None
    if campaign is None:
        raise NotFound()
    return campaign


def _with_branch_names(campaigns: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """Each with the `branch_names` it is for; of the whole chain's there are none."""
    place = Func(
        OuterRef("branch_ids"), F("pk"), function="array_position", output_field=IntegerField()
    )
    names = Branch.objects.alias(place=place).filter(place__gt=0).values("name")
    return campaigns.annotate(branch_names=ArraySubquery(names))


def author_ids(campaign: Campaign) -> set[uuid.UUID]:
    """Who made, submitted or last edited it: none of them may approve it."""
    ids = {campaign.created_by_id, campaign.submitted_by_id, campaign.edited_by_id}
    return {user_id for user_id in ids if user_id is not None}


def may_approve(actor: Actor, campaign: Campaign) -> bool:
    """Whether the actor is an approver of all the campaign's branches and not its author."""
    return (
        actor.can("campaign.approve")
        and actor.user_id is not None
        and may_open(actor, campaign)
        and actor.user_id not in author_ids(campaign)
    )


def waiting_for_approval(actor: Actor) -> QuerySet[Campaign]:
    """What the actor may approve now, the longest waiting first, with `branch_names`."""
    if not actor.can("campaign.approve") or actor.user_id is None:
        return Campaign.objects.none()
    waiting = campaigns_for_actor(actor).filter(status=CampaignStatus.PENDING_APPROVAL)
    for role in ("created_by", "submitted_by", "edited_by"):
        waiting = waiting.exclude(**{role: actor.user_id})
    waiting = _with_branch_names(waiting)
    return waiting.select_related("template", "segment", "submitted_by__staff").order_by(
        "submitted_at"
    )


def latest_run(campaign: Campaign) -> CampaignRun | None:
    """The newest run with its send run, or None before the first."""
    return campaign.runs.select_related("send_run").order_by("-number").first()


def history(campaign: Campaign) -> QuerySet[AuditEntry]:
    """What was done to the campaign, newest first."""
    return AuditEntry.objects.filter(
        object_type=campaign._meta.label_lower, object_id=campaign.pk
    ).order_by("-id")
