"""Two pairs of eyes: what submit refuses, who may approve, and what voids an approval."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.campaigns import approver_staff_ids, waiting_for_approval
from marketing.content.models import TemplateVersion
from marketing.core import clock, errors
from marketing.core import services as core
from marketing.core.actor import Actor
from marketing.core.models import AuditEntry, DomainEvent, Role
from marketing.core.tenancy import tenant_scope
from marketing.segments.models import Segment
from tests.factories.campaigns import approved, everybody, make_campaign, make_ground, submitted
from tests.factories.content import TemplateFactory
from tests.factories.core import make_staff
from tests.factories.customers import CustomerFactory
from tests.factories.policy import set_branch_config, set_config
from tests.factories.segments import SegmentFactory, where


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, chain.south)


def stored(campaign):
    return Campaign.objects.get(pk=campaign.pk)


def test_it_works(chain):
    campaign = make_campaign(chain.manager)
    assert campaign.branch_ids == [chain.north.pk]
    assert (campaign.estimated_recipients, campaign.requires_approval) == (3, True)
    services.submit_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    waiting = stored(campaign)
    assert (waiting.status, waiting.submitted_by) == ("pending_approval", chain.manager.user)
    services.approve_campaign(actor=chain.actor(chain.regional), campaign=campaign)
    ready = stored(campaign)
    assert (ready.status, ready.approved_by) == ("approved", chain.regional.user)
    assert (ready.approved_recipients, len(ready.approved_hash)) == (3, 64)
    assert ready.approved_cost == ready.estimated_cost > 0
    assert [event.name for event in DomainEvent.objects.order_by("id")][-2:] == [
        "campaign.created",
        "campaign.approved",
    ]
    acts = AuditEntry.objects.filter(object_id=campaign.pk).order_by("id")
    assert [act.action for act in acts] == [
        "campaign.create",
        "campaign.submit",
        "campaign.approve",
    ]


def test_few_people_need_no_approval(chain):
    set_config(campaign_approval_threshold_recipients=4)
    campaign = submitted(chain.manager)
    assert (campaign.status, campaign.requires_approval) == ("approved", False)
    assert campaign.approved_by is None


def test_a_dear_campaign_needs_approval(chain):
    set_config(campaign_approval_threshold_recipients=1000, approval_threshold_cost=Decimal("1.00"))
    assert submitted(chain.manager).status == "pending_approval"


@pytest.mark.parametrize("voiding", [{"name": "Other"}, {"description": "x"}, {"branch_ids": None}])
def test_an_edit_after_approval_voids_it(chain, voiding):
    campaign = approved(chain.owner, make_staff(Role.SUPER_OWNER), branch_ids=[chain.north.pk])
    services.update_campaign(actor=chain.actor(chain.owner), campaign=campaign, values=voiding)
    after = stored(campaign)
    assert (after.status, after.approved_by, after.approved_hash) == ("draft", None, "")
    with pytest.raises(errors.InvalidCampaignStatus):
        services.send_campaign(actor=chain.actor(chain.owner), campaign=campaign)


def test_the_same_values_again_void_nothing(chain):
    campaign = approved(chain.manager, chain.regional)
    services.update_campaign(
        actor=chain.actor(chain.manager), campaign=campaign, values={"name": campaign.name}
    )
    assert stored(campaign).status == "approved"


def test_an_edit_while_waiting_takes_it_back(chain):
    campaign = submitted(chain.manager)
    services.update_campaign(
        actor=chain.actor(chain.manager), campaign=campaign, values={"name": "Other"}
    )
    with pytest.raises(errors.InvalidCampaignStatus):
        services.approve_campaign(actor=chain.actor(chain.regional), campaign=campaign)


HANDS = ["creator", "earlier editor", "last editor", "earlier submitter", "submitter"]


@pytest.mark.parametrize("role", HANDS)
@pytest.mark.parametrize("stands_in", [False, True])
def test_nobody_approves_their_own(chain, role, stands_in):
    """Whoever ever had a hand in it, however many came after, and not in anybody's place either."""
    other = make_staff(Role.REGIONAL_MANAGER, chain.north)
    by = {hand: chain.actor(chain.regional if hand == role else other) for hand in HANDS}
    campaign = services.create_campaign(
        actor=by["creator"],
        values={"name": "Diwali glow", "channel": "whatsapp", "branch_ids": [chain.north.pk]}
        | {"template_id": TemplateFactory().pk, "segment_id": everybody().pk},
    )

    def edit(hand):
        services.update_campaign(actor=by[hand], campaign=campaign, values={"name": hand})

    edit("earlier editor")
    services.submit_campaign(actor=by["earlier submitter"], campaign=campaign)
    edit("last editor")
    services.submit_campaign(actor=by["submitter"], campaign=campaign)
    if stands_in:
        today = clock.now().astimezone(ZoneInfo(chain.tenant.time_zone)).date()
        core.delegate_approvals(
            actor=chain.actor(chain.owner),
            delegate_id=chain.regional.pk,
            begins_on=today,
            ends_on=today,
        )
    actor = Actor.for_staff(chain.regional)
    assert campaign not in waiting_for_approval(actor)
    assert chain.regional.pk not in approver_staff_ids(stored(campaign))
    for decide in (services.approve_campaign, reject):
        with pytest.raises(errors.Forbidden):
            decide(actor=actor, campaign=campaign)
    assert stored(campaign).status == "pending_approval"
    assert (
        services.approve_campaign(actor=Actor.for_staff(chain.owner), campaign=campaign).status
        == "approved"
    )


def reject(*, actor, campaign):
    return services.reject_campaign(actor=actor, campaign=campaign, reason="No.")


def test_the_approver_holds_every_branch(chain):
    campaign = submitted(chain.owner, branch_ids=[chain.north.pk, chain.west.pk])
    with pytest.raises(errors.Forbidden):
        services.approve_campaign(actor=chain.actor(chain.regional), campaign=campaign)
    chainwide = submitted(chain.owner)
    assert chainwide.branch_ids is None
    with pytest.raises(errors.Forbidden):
        services.approve_campaign(actor=chain.actor(chain.regional), campaign=chainwide)


def test_a_stale_version_is_refused(chain):
    campaign = submitted(chain.manager)
    with pytest.raises(errors.Conflict) as refusal:
        services.approve_campaign(
            actor=chain.actor(chain.regional), campaign=campaign, version=campaign.version - 1
        )
    assert refusal.value.details == {"current": campaign.version}
    assert stored(campaign).status == "pending_approval"


@pytest.mark.parametrize("decide", [services.reject_campaign, services.ask_for_changes])
def test_sending_back_needs_a_reason(chain, decide):
    campaign = submitted(chain.manager)
    with pytest.raises(errors.ValidationFailed) as refusal:
        decide(actor=chain.actor(chain.regional), campaign=campaign, reason="  ")
    assert "reason" in refusal.value.fields
    assert stored(campaign).status == "pending_approval"
    decide(actor=chain.actor(chain.regional), campaign=campaign, reason="Too dear.")
    back = stored(campaign)
    assert (back.status, back.rejection_reason) == ("draft", "Too dear.")
    services.submit_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    assert stored(campaign).rejection_reason == ""


def refused(chain, campaign, error, field):
    with pytest.raises(error) as refusal:
        services.submit_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    assert field in refusal.value.fields
    assert stored(campaign).status == "draft"
    return refusal.value


def test_submit_refuses_a_template_of_another_channel(chain):
    campaign = make_campaign(chain.manager, template_id=TemplateFactory(sms=True).pk)
    refused(chain, campaign, errors.TemplateChannelMismatch, "templateId")


@pytest.mark.parametrize("status", ["pending", "rejected", "paused", ""])
def test_submit_refuses_an_unapproved_whatsapp_template(chain, status):
    template = TemplateFactory(whatsapp_status=status)
    campaign = make_campaign(chain.manager, template_id=template.pk)
    refused(chain, campaign, errors.WhatsAppTemplateNotApproved, "templateId")


def test_submit_refuses_an_empty_audience(chain):
    nobody = SegmentFactory(rules=where("visit_count", "gt", 900))
    campaign = make_campaign(chain.manager, segment_id=nobody.pk)
    refused(chain, campaign, errors.ValidationFailed, "segmentId")


def test_submit_refuses_a_broken_rule(chain):
    broken = everybody()
    campaign = make_campaign(chain.manager, segment_id=broken.pk)
    Segment.objects.filter(pk=broken.pk).update(rules=where("no_such_field", "eq", 1))
    refusal = refused(chain, campaign, errors.ValidationFailed, "segmentId")
    assert "no_such_field" in str(refusal.fields) or "conditions" in str(refusal.fields)


def test_submit_refuses_an_unknown_placeholder(chain):
    template = TemplateFactory()
    TemplateVersion.objects.filter(template=template).update(
        contents={"en": {"body": "Hi {{ shoe_size }}"}}, placeholders=["shoe_size"]
    )
    campaign = make_campaign(chain.manager, template_id=template.pk)
    refusal = refused(chain, campaign, errors.ValidationFailed, "templateId")
    assert "shoe_size" in str(refusal.fields)


def test_submit_refuses_a_missing_message_and_a_missing_audience(chain):
    campaign = make_campaign(chain.manager, template_id=None)
    refused(chain, campaign, errors.ValidationFailed, "templateId")
    campaign = make_campaign(chain.manager, segment_id=None)
    refused(chain, campaign, errors.ValidationFailed, "segmentId")


def test_submit_refuses_a_time_that_is_past(chain):
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    campaign = make_campaign(chain.manager, scheduled_at=soon)
    with time_machine.travel(soon + dt.timedelta(minutes=1), tick=False):
        refused(chain, campaign, errors.ValidationFailed, "scheduledAt")


def test_people_without_a_needed_value_are_left_out_not_refused(chain):
    contents = {"en": {"body": "Hi {{ customer_name }}, {{ branch_name }} misses you"}}
    CustomerFactory(home_branch=None)
    campaign = make_campaign(
        chain.owner, template_id=TemplateFactory(contents=contents).pk, target_all_customers=True
    )
    services.submit_campaign(actor=chain.actor(chain.owner), campaign=campaign)
    assert stored(campaign).estimated_recipients == 7


def test_approve_refuses_when_the_money_does_not_reach(chain):
    campaign = submitted(chain.manager)
    set_branch_config(chain.north, monthly_budget_limit=Decimal("0.50"))
    with pytest.raises(errors.BudgetExceeded) as refusal:
        services.approve_campaign(actor=chain.actor(chain.regional), campaign=campaign)
    (short,) = refusal.value.details["shortfalls"]
    assert (short["branchId"], Decimal(short["left"])) == (str(chain.north.pk), Decimal("0.50"))
    assert stored(campaign).status == "pending_approval"


@pytest.mark.parametrize(
    "values",
    [{"campaign_type": "trigger"}, {"recurrence_pattern": "weekly", "recurrence_day": 9}],
)
def test_create_refuses_what_it_cannot_do(chain, values):
    with pytest.raises(errors.ValidationFailed):
        make_campaign(chain.manager, **{"campaign_type": "recurring", **values})
    assert not Campaign.objects.exists()


def test_create_refuses_what_is_not_the_authors(chain, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        foreign_template, foreign_segment = TemplateFactory(), everybody()
    elsewhere = everybody(branch_ids=[chain.west.pk])
    for values, field in [
        ({"template_id": foreign_template.pk}, "templateId"),
        ({"segment_id": foreign_segment.pk}, "segmentId"),
        ({"segment_id": elsewhere.pk}, "segmentId"),
        ({"exclude_segment_ids": [elsewhere.pk]}, "excludeSegmentIds"),
        ({"branch_ids": [chain.west.pk]}, "branchIds"),
        ({"branch_ids": [other_chain.north.pk]}, "branchIds"),
    ]:
        with pytest.raises(errors.ValidationFailed) as refusal:
            make_campaign(chain.manager, **values)
        assert list(refusal.value.fields) == [field]
    assert not Campaign.objects.exists()


def test_a_null_branch_list_becomes_the_authors_branches(chain):
    assert make_campaign(chain.regional).branch_ids == sorted([chain.north.pk, chain.south.pk])
    assert make_campaign(chain.owner).branch_ids is None


def test_delete_and_copy(chain):
    campaign = approved(
        chain.manager,
        chain.regional,
        scheduled_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1),
    )
    actor = chain.actor(chain.manager)
    with pytest.raises(errors.InvalidCampaignStatus):
        services.delete_campaign(actor=actor, campaign=campaign)
    copy = services.copy_campaign(actor=actor, campaign=campaign)
    assert (copy.status, copy.scheduled_at, copy.template_id) == (
        "draft",
        None,
        campaign.template_id,
    )
    services.delete_campaign(actor=actor, campaign=copy)
    assert list(Campaign.objects.all()) == [campaign]


def test_receptionists_change_nothing(chain):
    with pytest.raises(errors.Forbidden):
        make_campaign(chain.receptionist)
    campaign = submitted(chain.manager)
    actor = chain.actor(chain.receptionist)
    for act in (services.submit_campaign, services.approve_campaign, services.send_campaign):
        with pytest.raises(errors.Forbidden):
            act(actor=actor, campaign=campaign)
    with pytest.raises(errors.Forbidden):
        services.approve_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    assert stored(campaign).status == "pending_approval"
