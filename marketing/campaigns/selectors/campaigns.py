"""Whose campaigns an actor may see and decide on."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Func, IntegerField, OuterRef, Q, QuerySet

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign, CampaignRun, CampaignStatus
from marketing.core.actor import DELEGABLE, MANAGERS, Actor, Away, with_reach
from marketing.core.errors import NotFound
from marketing.core.models import Branch, Staff


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
    return _reaches(actor.branch_ids, campaign)


def campaigns_in_sight(actor: Actor) -> QuerySet[Campaign]:
    """The actor's campaigns, and those of the approvers in whose place the actor decides."""
    mine = _within(actor.branch_ids)
    for away in actor.stands_in_for:
        mine |= _within(away.branch_ids)
    return Campaign.objects.filter(mine)


def ids_in_sight(actor: Actor, ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Of these campaigns those that `campaigns_in_sight` has."""
    return list(campaigns_in_sight(actor).filter(pk__in=ids).values_list("pk", flat=True))


def _within(branch_ids: frozenset[uuid.UUID] | None) -> Q:
    """Campaigns whose branches are all among these; None means every branch there is."""
    every = Q(pk__isnull=False)
    return every if branch_ids is None else Q(branch_ids__contained_by=list(branch_ids))


def get_campaign_for_actor(actor: Actor, pk: uuid.UUID) -> Campaign:
    """The campaign with its template, segment and `branch_names`. Raises `NotFound`."""
    return _get(actor, campaigns_for_actor(actor), pk)


def get_campaign_in_sight(actor: Actor, pk: uuid.UUID) -> Campaign:
    """As `get_campaign_for_actor`, also for whoever may only decide on it: to look and decide."""
    return _get(actor, campaigns_in_sight(actor), pk)


def get_campaign_to_resume(actor: Actor, pk: uuid.UUID) -> Campaign:
    """One's own; of others' what only an approver lets go on, for who stands in for one."""
    campaign = get_campaign_in_sight(actor, pk)
    needs_approver = campaign.pause_reason in rules.REAPPROVAL_REASONS
    if not (needs_approver or is_for_actor(actor, campaign)):
        raise NotFound()
    return campaign


def is_for_actor(actor: Actor, campaign: Campaign) -> bool:
    """Whether the campaign is the actor's to work on, not only to decide on."""
    return _reaches(actor.branch_ids, campaign)


def _get(actor: Actor, campaigns: QuerySet[Campaign], pk: uuid.UUID) -> Campaign:
    found = _with_branch_names(campaigns).select_related(
        "template", "segment", "created_by__staff", "submitted_by__staff", "approved_by__staff"
    )
    campaign = found.filter(pk=pk).first() if actor.can("campaign.view") else None
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


def authors_with(actor: Actor, campaign: Campaign) -> list[uuid.UUID]:
    """The campaign's `author_ids`, the actor among them if it is somebody."""
    mine = [] if actor.user_id is None else [actor.user_id]
    return list(dict.fromkeys([*campaign.author_ids, *mine]))


@dataclass(frozen=True)
class Mandate:
    """By what right somebody decides: their own, or that of an approver who is away."""

    on_behalf_of: Away | None = None


def mandate_for(actor: Actor, campaign: Campaign) -> Mandate | None:
    """By what right the actor may decide on the campaign, the own one first; None if by none.

    The one place that says so. Nobody decides on what they had a hand in, nor in the place of
    somebody who had; whose right it is must have all of the campaign's branches.
    """
    authors = campaign.author_ids
    if not actor.can(DELEGABLE) or actor.user_id is None or actor.user_id in authors:
        return None
    if actor.approves_itself and _reaches(actor.branch_ids, campaign):
        return Mandate()
    for away in actor.stands_in_for:
        if away.user_id not in authors and _reaches(away.branch_ids, campaign):
            return Mandate(on_behalf_of=away)
    return None


def may_approve(actor: Actor, campaign: Campaign) -> bool:
    """Whether the actor may decide on the campaign."""
    return mandate_for(actor, campaign) is not None


def _reaches(branch_ids: frozenset[uuid.UUID] | None, campaign: Campaign) -> bool:
    return branch_ids is None or (
        campaign.branch_ids is not None and branch_ids.issuperset(campaign.branch_ids)
    )


def waiting_for_approval(actor: Actor) -> QuerySet[Campaign]:
    """What the actor may approve now, the longest waiting first, with `branch_names`."""
    if not actor.can(DELEGABLE) or actor.user_id is None:
        return Campaign.objects.none()
    right = Q(pk__isnull=True)
    if actor.approves_itself:
        right |= _within(actor.branch_ids)
    for away in actor.stands_in_for:
        right |= _within(away.branch_ids) & _without_hand_of(away.user_id)
    waiting = Campaign.objects.filter(
        right, _without_hand_of(actor.user_id), status=CampaignStatus.PENDING_APPROVAL
    )
    waiting = _with_branch_names(waiting)
    return waiting.select_related("template", "segment", "submitted_by__staff").order_by(
        "submitted_at", "pk"
    )


def _without_hand_of(user_id: uuid.UUID) -> Q:
    """Campaigns of whose `author_ids` this is none."""
    return ~Q(author_ids__contains=[user_id])


def approvers_of(campaign: Campaign) -> list[Staff]:
    """Everybody of the staff who may decide on the campaign now, deputies too."""
    managers = Staff.objects.filter(is_active=True, role__in=MANAGERS).select_related("user")
    return [
        person
        for person in with_reach(managers).order_by("pk")
        if may_approve(Actor.for_staff(person), campaign)
    ]


def approver_staff_ids(campaign: Campaign) -> list[uuid.UUID]:
    """The ids of `approvers_of` the campaign."""
    return [person.pk for person in approvers_of(campaign)]


def latest_run(campaign: Campaign) -> CampaignRun | None:
    """The newest run with its send run, or None before the first."""
    return campaign.runs.select_related("send_run").order_by("-number").first()


def runs_of(campaign: Campaign) -> list[CampaignRun]:
    """Its runs with their send runs, the oldest first."""
    return list(campaign.runs.select_related("send_run").order_by("number"))
