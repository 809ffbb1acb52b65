"""Every path by which what was approved could change: it is void, or goes as it was approved."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from customers.models import MessageTopic
from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.campaigns.services import runs
from marketing.campaigns.services.drafts import EDITABLE
from marketing.content import services as content
from marketing.content.models import TemplateVersion
from marketing.core.errors import Conflict, InvalidCampaignStatus, ValidationFailed
from marketing.delivery.models import Message
from marketing.segments import services as segments
from marketing.segments.models import Segment
from tests.campaigns.test_pages import text_of
from tests.campaigns.test_sending import send, stored
from tests.factories.campaigns import approved, everybody, make_ground, submitted
from tests.factories.content import TemplateFactory
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory
from tests.factories.policy import set_config
from tests.factories.segments import SegmentFactory, where

TOMORROW = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, chain.south)


# One change of each field of the plan, by whom it is approved for.
CHANGES = {
    "name": lambda chain: "Other",
    "description": lambda chain: "For the feast.",
    "campaign_type": lambda chain: "recurring",
    "channel": lambda chain: "sms",
    "template_id": lambda chain: TemplateFactory().pk,
    "further_steps": lambda chain: [
        {"channel": "sms", "templateId": str(TemplateFactory(sms=True).pk), "afterMinutes": 30}
    ],
    "coupon_id": lambda chain: make_offer(code="OTHER").pk,
    "segment_id": lambda chain: everybody().pk,
    "target_all_customers": lambda chain: True,
    "exclude_segment_ids": lambda chain: [everybody().pk],
    "branch_ids": lambda chain: [chain.south.pk],
    "scheduled_at": lambda chain: TOMORROW,
    "recurrence_rule": lambda chain: "FREQ=WEEKLY;BYDAY=MO;BYHOUR=10;BYMINUTE=0",
}
WITH = {
    "further_steps": {"channel_mode": "cascade"},
    "target_all_customers": {"segment_id": None},
    "recurrence_rule": {"campaign_type": "recurring"},
}
# `channel_mode` goes with `further_steps`; `slot_values` are tested beside what they fill.
TESTED_ELSEWHERE = {"channel_mode", "slot_values", "unique_codes"}


def test_no_field_of_the_plan_is_forgotten():
    assert CHANGES.keys() | TESTED_ELSEWHERE == set(EDITABLE)


@pytest.mark.parametrize("field", CHANGES)
def test_a_change_of_the_plan_makes_a_draft_of_it(chain, field):
    campaign = approved(chain.regional, chain.owner, branch_ids=[chain.north.pk])
    values = {field: CHANGES[field](chain)} | WITH.get(field, {})
    services.update_campaign(actor=chain.actor(chain.regional), campaign=campaign, values=values)
    after = stored(campaign)
    assert (after.status, after.approved_by, after.approved_hash) == ("draft", None, "")
    with pytest.raises(InvalidCampaignStatus):
        services.send_campaign(actor=chain.actor(chain.regional), campaign=campaign)


def regulars(**values):
    return SegmentFactory(rules=where("visit_count", "gte", 0), **values)


def naming(segment):
    """A segment of whoever is in another one."""
    rules = {"operator": "AND", "conditions": [{"segment": str(segment.pk), "op": "in"}]}
    return SegmentFactory(rules=rules)


def change_segment(chain, segment, **values):
    segments.update_segment(actor=chain.actor(chain.owner), segment=segment, values=values)


OTHER_RULES = {"rules": where("visit_count", "lt", 900)}


def held_out_for(chain, campaign):
    """It stops at its start, and nobody was written to."""
    run = send(chain.actor(chain.manager), campaign)
    after = stored(campaign)
    assert (after.status, after.pause_reason) == ("paused", "changed_since_approval")
    assert run.send_run.state == "ready"


@pytest.mark.parametrize("role", ["audience", "excluded"])
@pytest.mark.parametrize("is_named", [False, True])
def test_a_segment_that_says_something_else_stops_it(chain, role, is_named):
    """Its own rule, or that of a segment which it names."""
    nobody = SegmentFactory(rules=where("visit_count", "gt", 900))
    changed = regulars() if role == "audience" else nobody
    used = naming(naming(changed)) if is_named else changed
    audience = {"segment_id": used.pk} if role == "audience" else {"exclude_segment_ids": [used.pk]}
    campaign = approved(chain.manager, chain.regional, **audience)
    rules = where("visit_count", "lt", 900) if role == "audience" else where("tags", "in", ["vip"])
    change_segment(chain, changed, rules=rules)
    held_out_for(chain, campaign)


def test_a_segment_of_other_branches_stops_it(chain):
    segment = regulars(branch_ids=[chain.north.pk, chain.west.pk])
    campaign = approved(chain.manager, chain.regional, segment_id=segment.pk)
    change_segment(chain, segment, branch_ids=[chain.north.pk])
    held_out_for(chain, campaign)


def test_other_people_on_a_list_stop_it(chain):
    """As many as before, but others."""
    first, second = CustomerFactory.create_batch(2, home_branch=chain.north)
    listed = segments.create_segment(
        actor=chain.actor(chain.manager), name="Invited", customer_ids=[first.pk]
    )
    campaign = approved(chain.manager, chain.regional, segment_id=listed.pk)
    change_segment(chain, listed, customer_ids=[second.pk])
    held_out_for(chain, campaign)


def test_a_new_name_of_a_segment_or_a_message_stops_nothing(chain):
    segment, template = regulars(), TemplateFactory()
    campaign = approved(
        chain.manager, chain.regional, segment_id=segment.pk, template_id=template.pk
    )
    change_segment(chain, segment, name="Those who came")
    content.update_template(
        actor=chain.actor(chain.owner), template=template, values={"name": "Renamed"}
    )
    send(chain.actor(chain.manager), campaign)
    assert stored(campaign).status == "sending"


OTHER_IDS = {"dltTemplateId": "1207161000000000002", "vendorTemplateId": "flow-2"}


def new_topic():
    return MessageTopic.objects.create(name="Offers").pk


def mail(body):
    return {"en": {"subject": "For you", "body": body}}


@pytest.mark.parametrize("step", ["first", "second"])
@pytest.mark.parametrize(
    ("channel", "values"),
    [
        ("email", {"contents": mail("Half price, {{ customer_name }}!")}),
        ("email", {"contents": mail("Hi {{ customer_name }}: https://elsewhere.example/x")}),
        ("email", {"topic_id": new_topic}),
        ("sms", {"sms_ids": dict.fromkeys(("en", "hi"), OTHER_IDS)}),
    ],
    ids=["words", "link", "topic", "what the vendor knows it by"],
)
def test_a_message_that_says_something_else_stops_it(chain, channel, values, step):
    set_config(email_enabled=True)
    contents = mail("Hi {{ customer_name }}: https://kesar.example/x")
    made = TemplateFactory(email=True, contents=contents) if channel == "email" else None
    template = made or TemplateFactory(sms=True)
    plan = {"channel": channel, "template_id": template.pk}
    if step == "second":
        later = {"channel": channel, "templateId": str(template.pk), "afterMinutes": 30}
        plan = {"further_steps": [later], "channel_mode": "cascade"}
    campaign = approved(chain.manager, chain.regional, **plan)
    values = {name: given() if callable(given) else given for name, given in values.items()}
    content.update_template(actor=chain.actor(chain.owner), template=template, values=values)
    held_out_for(chain, campaign)


def test_a_message_changed_between_the_press_and_the_start_stops_it(chain):
    """What a worker is kept waiting with is judged when it starts."""
    template = TemplateFactory()
    campaign = approved(chain.manager, chain.regional, template_id=template.pk)
    services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    content.update_template(
        actor=chain.actor(chain.owner),
        template=template,
        values={"contents": {"en": {"body": "Half price, {{ customer_name }}!"}}},
    )
    TemplateVersion.objects.update(whatsapp_status="approved")
    runs.start_run(campaign_run_id=campaign.runs.get().pk)
    assert stored(campaign).pause_reason == "changed_since_approval"


def test_an_approver_approves_what_she_saw(chain, login):
    """What changed while she looked is shown to her before she can approve it."""
    segment = regulars()
    campaign = submitted(chain.manager, segment_id=segment.pk)
    client = login("regional")
    page = client.get(reverse("campaign-detail", args=[campaign.pk]))
    change_segment(chain, segment, **OTHER_RULES)

    def press(page):
        (seen,) = re.findall(r'name="seen" value="(\w{64})"', page.content.decode())
        form = {"version": campaign.version, "seen": seen}
        return client.post(reverse("campaign-approve", args=[campaign.pk]), form)

    refusal = press(page)
    assert refusal.status_code == 409
    assert "changed while you were looking" in text_of(refusal)
    assert stored(campaign).status == "pending_approval"
    assert press(refusal).status_code == 302
    assert stored(campaign).status == "approved"


def test_another_time_than_the_approved_one_is_refused(chain):
    campaign = approved(chain.manager, chain.regional, scheduled_at=TOMORROW)
    with pytest.raises(ValidationFailed) as refusal:
        services.schedule_campaign(
            actor=chain.actor(chain.manager),
            campaign=campaign,
            scheduled_at=TOMORROW + dt.timedelta(hours=1),
        )
    assert list(refusal.value.fields) == ["scheduledAt"]
    assert (stored(campaign).status, stored(campaign).scheduled_at) == ("approved", TOMORROW)


def test_a_time_is_not_set_over_what_changed(chain):
    """Setting the time that was left open renews the hash: never over another audience."""
    segment = regulars()
    campaign = approved(chain.manager, chain.regional, segment_id=segment.pk)
    change_segment(chain, segment, **OTHER_RULES)
    with pytest.raises(Conflict):
        services.schedule_campaign(
            actor=chain.actor(chain.manager), campaign=campaign, scheduled_at=TOMORROW
        )
    assert stored(campaign).status == "approved"


def test_a_copy_is_approved_by_nobody(chain):
    campaign = approved(chain.manager, chain.regional)
    copy = services.copy_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    copy = Campaign.objects.get(pk=copy.pk)
    assert (copy.status, copy.approved_by, copy.approved_hash) == ("draft", None, "")
    assert copy.author_ids == [chain.manager.user_id]


def test_a_segment_that_was_deleted_meanwhile_stops_it(chain):
    campaign = approved(chain.manager, chain.regional)
    Segment.objects.filter(pk=campaign.segment_id).update(is_active=False)
    with pytest.raises(ValidationFailed) as refused:
        services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    assert "was deleted" in refused.value.fields["segmentId"][0]
    assert stored(campaign).status == "approved"


def test_a_segment_deleted_between_the_press_and_the_start_stops_it(chain):
    campaign = approved(chain.manager, chain.regional)
    run = services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    Segment.objects.filter(pk=campaign.segment_id).update(is_active=False)
    runs.start_run(campaign_run_id=run.pk)
    paused = stored(campaign)
    assert paused.status == "paused"
    assert "was deleted" in paused.pause_detail
    assert not Message.objects.exists()
