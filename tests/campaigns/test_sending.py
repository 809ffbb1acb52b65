"""Schedule, send, freeze, pause, resume, cancel, and what comes back from delivery."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import MessageTopic
from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors.progress import figures_of
from marketing.campaigns.services import runs
from marketing.campaigns.tasks import run_due_campaigns
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.core import errors, events
from marketing.core.models import DomainEvent
from marketing.delivery import services as delivery
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.policy.models import ProviderAccount
from marketing.segments.models import Segment
from tests.factories.campaigns import approved, make_campaign, make_ground, submitted
from tests.factories.customers import CustomerFactory
from tests.factories.policy import set_branch_config, set_config
from tests.factories.segments import SegmentFactory, group, where

NOW = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=10)


@pytest.fixture
def ready(chain):
    return approved(chain.manager, chain.regional)


def stored(campaign):
    return Campaign.objects.select_related("approved_by").get(pk=campaign.pk)


def send(manager, campaign):
    """Send and freeze, as the task would."""
    run = services.send_campaign(actor=manager, campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    return CampaignRun.objects.select_related("send_run").get(pk=run.pk)


def finish(run):
    """As if the dispatchers had sent everything."""
    Message.objects.filter(run_id=run.send_run_id).update(state="sent")
    DispatchBatch.objects.filter(run_id=run.send_run_id, number__gt=0).update(
        state="done", sent=10, queued=0
    )
    assert delivery.finish_run_if_done(run_id=run.send_run_id)
    events.deliver_due()


def test_it_works(chain, manager, ready):
    run = send(manager, ready)
    assert stored(ready).status == "sending"
    assert run.send_run.state == "frozen"
    assert run.send_run.charged_branch_id == chain.north.pk
    figures = figures_of([ready])[ready.pk]
    assert sum(figures.states.values()) == figures.audience == 10
    finish(run)
    done = stored(ready)
    assert done.status == "sent"
    metrics = DomainEvent.objects.get(name="campaign.completed").payload["metrics"]
    assert (metrics["totalRecipients"], metrics["sentCount"]) == (10, 10)
    sent = DomainEvent.objects.get(name="campaign.sent").payload
    assert sent["recipientCount"] == 10


def test_what_a_rule_counts_is_counted_for_everybody_at_once(chain, manager):
    """Person by person it takes nearly twice as long."""
    rules = group("NOT", {"visit": {}, "count": {"op": "gte", "value": 3}, "within": {"days": 180}})
    segment = SegmentFactory(rules=rules)
    ready = approved(chain.manager, chain.regional, segment_id=segment.pk)
    with CaptureQueriesContext(connection) as asked:
        send(manager, ready)
    assert Message.objects.count() == 10
    freezing = [each["sql"] for each in asked if "customers_visit" in each["sql"]]
    assert freezing
    assert all("HAVING COUNT" in sql for sql in freezing)


def test_a_second_send_is_refused(manager, ready):
    send(manager, ready)
    with pytest.raises(errors.InvalidCampaignStatus):
        services.send_campaign(actor=manager, campaign=ready)
    assert CampaignRun.objects.count() == 1


def test_a_repeated_start_does_nothing(manager, ready):
    run = send(manager, ready)
    runs.start_run(campaign_run_id=run.pk)
    assert Message.objects.count() == 10
    assert DomainEvent.objects.filter(name="campaign.sent").count() == 1


@pytest.mark.parametrize("status", ["draft", "pending_approval"])
def test_what_was_not_approved_is_not_sent(chain, manager, status):
    campaign = (make_campaign if status == "draft" else submitted)(chain.manager)
    for act in (services.send_campaign, services.schedule_campaign, services.cancel_campaign):
        with pytest.raises(errors.InvalidCampaignStatus) as refusal:
            act(actor=manager, campaign=campaign)
        assert refusal.value.details["status"] == status
    assert not SendRun.objects.exists()


def held(manager, campaign, reason):
    run = send(manager, campaign)
    paused = stored(campaign)
    assert (paused.status, paused.pause_reason) == ("paused", reason)
    assert paused.pause_detail
    assert run.send_run.state == "ready"
    assert not Message.objects.exists()
    assert not DomainEvent.objects.filter(name="campaign.sent").exists()


def test_an_audience_grown_by_more_than_a_tenth_is_held(chain, manager, ready):
    CustomerFactory(home_branch=chain.north)
    assert figures_of([ready])[ready.pk].audience == 10
    run = send(manager, ready)
    assert run.send_run.state == "frozen"


def test_an_audience_grown_by_two_tenths_is_held_until_an_approver_says_yes(chain, manager, ready):
    CustomerFactory.create_batch(2, home_branch=chain.north)
    held(manager, ready, "audience_grown")
    with pytest.raises(errors.Forbidden):
        services.resume_campaign(actor=manager, campaign=ready)
    services.resume_campaign(actor=chain.actor(chain.regional), campaign=ready)
    run = CampaignRun.objects.order_by("-number").first()
    runs.start_run(campaign_run_id=run.pk)
    assert (stored(ready).status, stored(ready).approved_recipients) == ("sending", 12)
    assert Message.objects.count() == 12


def test_a_changed_segment_is_held(manager, ready):
    Segment.objects.filter(pk=ready.segment_id).update(rules=where("visit_count", "gte", -1))
    held(manager, ready, "changed_since_approval")


def test_a_changed_message_is_held(manager, ready):
    version = TemplateVersion.objects.get(template=ready.template)
    TemplateVersion.objects.create(
        template=ready.template,
        number=2,
        contents={"en": {"body": "Something else"}},
        whatsapp_status="approved",
    )
    assert version.number == 1
    MessageTemplate.objects.filter(pk=ready.template_id).update(version=2)
    held(manager, ready, "changed_since_approval")


def test_a_changed_topic_is_held(manager, ready):
    topic = MessageTopic.objects.create(name="Offers")
    MessageTemplate.objects.filter(pk=ready.template_id).update(topic=topic)
    held(manager, ready, "changed_since_approval")


def test_a_campaign_that_came_to_need_approval_is_held(chain, manager):
    set_config(campaign_approval_threshold_recipients=11)
    campaign = submitted(chain.manager)
    assert campaign.status == "approved"
    CustomerFactory(home_branch=chain.north)
    held(manager, campaign, "approval_required")


def test_a_dearer_campaign_is_held(manager, ready):
    Campaign.objects.filter(pk=ready.pk).update(approved_cost=Decimal("0.10"))
    held(manager, ready, "cost_grown")


def test_money_gone_between_send_and_freeze_is_held(chain, manager, ready):
    run = services.send_campaign(actor=manager, campaign=ready)
    set_branch_config(chain.north, monthly_budget_limit=Decimal("0.50"))
    runs.start_run(campaign_run_id=run.pk)
    assert (stored(ready).status, stored(ready).pause_reason) == ("paused", "budget")
    assert not Message.objects.exists()


def test_send_refuses_when_the_money_does_not_reach(chain, manager, ready):
    set_branch_config(chain.north, monthly_budget_limit=Decimal("0.50"))
    with pytest.raises(errors.BudgetExceeded):
        services.send_campaign(actor=manager, campaign=ready)
    assert stored(ready).status == "approved"
    assert not SendRun.objects.exists()


def test_send_refuses_a_message_that_whatsapp_took_back(manager, ready):
    TemplateVersion.objects.update(whatsapp_status="paused")
    with pytest.raises(errors.WhatsAppTemplateNotApproved):
        services.send_campaign(actor=manager, campaign=ready)
    assert stored(ready).status == "approved"


def test_pause_resume_and_cancel_while_sending(manager, ready):
    run = send(manager, ready)
    services.pause_campaign(actor=manager, campaign=ready)
    paused = stored(ready)
    assert (paused.status, paused.paused_from, paused.pause_reason) == (
        "paused",
        "sending",
        "paused_by_person",
    )
    run.send_run.refresh_from_db()
    assert run.send_run.state == "paused"
    events.deliver_due()
    assert stored(ready).pause_reason == "paused_by_person"
    services.resume_campaign(actor=manager, campaign=ready)
    run.send_run.refresh_from_db()
    assert (stored(ready).status, run.send_run.state) == ("sending", "frozen")
    services.cancel_campaign(actor=manager, campaign=ready)
    assert stored(ready).status == "cancelled"
    figures = figures_of([ready])[ready.pk]
    assert (figures.states["skipped"], figures.states["queued"]) == (10, 0)
    with pytest.raises(errors.InvalidCampaignStatus):
        services.resume_campaign(actor=manager, campaign=ready)


def test_a_pause_before_the_freeze_holds_it(manager, ready):
    run = services.send_campaign(actor=manager, campaign=ready)
    services.pause_campaign(actor=manager, campaign=ready)
    runs.start_run(campaign_run_id=run.pk)
    assert not Message.objects.exists()
    services.resume_campaign(actor=manager, campaign=ready)
    runs.start_run(campaign_run_id=run.pk)
    assert not Message.objects.exists()
    runs.start_run(campaign_run_id=CampaignRun.objects.get(number=2).pk)
    assert Message.objects.count() == 10


def test_a_run_that_ends_while_paused_is_sent_on_resume(manager, ready):
    run = send(manager, ready)
    services.pause_campaign(actor=manager, campaign=ready)
    SendRun.objects.filter(pk=run.send_run_id).update(state="done")
    runs.note_run_finished(send_run_id=run.send_run_id)
    assert stored(ready).status == "paused"
    services.resume_campaign(actor=manager, campaign=ready)
    assert stored(ready).status == "sent"


def test_news_of_a_paused_run_pauses_the_campaign(manager, ready):
    run = send(manager, ready)
    ProviderAccount.objects.update(circuit_reason="Token expired")
    delivery.pause_run(run=run.send_run, reason="account_paused", detail="Token expired")
    events.deliver_due()
    paused = stored(ready)
    assert (paused.status, paused.pause_reason, paused.pause_detail) == (
        "paused",
        "account_paused",
        "Token expired",
    )


def test_news_of_an_older_run_changes_nothing(manager, ready):
    run = send(manager, ready)
    finish(run)
    runs.note_run_paused(send_run_id=run.send_run_id, reason="account_paused")
    assert stored(ready).status == "sent"


def test_an_approved_campaign_with_a_time_goes_by_itself(chain):
    with time_machine.travel(NOW, tick=False) as clock:
        campaign = approved(chain.manager, chain.regional, scheduled_at=NOW + dt.timedelta(hours=2))
        run_due_campaigns()
        assert stored(campaign).status == "scheduled"
        clock.shift(dt.timedelta(hours=2, minutes=1))
        run_due_campaigns()
        assert stored(campaign).status == "sending"
        run_due_campaigns()
    assert CampaignRun.objects.count() == 1


def test_a_missed_schedule_is_held_and_goes_when_resumed(chain, manager):
    with time_machine.travel(NOW, tick=False) as clock:
        campaign = approved(chain.manager, chain.regional, scheduled_at=NOW + dt.timedelta(hours=2))
        services.schedule_campaign(actor=manager, campaign=campaign)
        clock.shift(dt.timedelta(hours=3, minutes=1))
        run_due_campaigns()
        paused = stored(campaign)
        assert (paused.status, paused.pause_reason) == ("paused", "missed_schedule")
        assert not SendRun.objects.exists()
        services.resume_campaign(actor=manager, campaign=campaign)
        run_due_campaigns()
        assert stored(campaign).status == "sending"


def test_schedule_refuses_past_missing_and_other_times(chain, manager, ready):
    with pytest.raises(errors.ValidationFailed):
        services.schedule_campaign(actor=manager, campaign=ready)
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    with pytest.raises(errors.ValidationFailed) as refusal:
        services.schedule_campaign(actor=manager, campaign=ready, scheduled_at=past)
    assert "scheduledAt" in refusal.value.fields
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    planned = approved(chain.manager, chain.regional, scheduled_at=later)
    with pytest.raises(errors.ValidationFailed):
        services.schedule_campaign(
            actor=manager, campaign=planned, scheduled_at=later + dt.timedelta(hours=1)
        )
    assert {stored(ready).status, stored(planned).status} == {"approved"}


def test_a_time_given_after_the_approval_keeps_it(manager, ready):
    with time_machine.travel(NOW, tick=False) as clock:
        services.schedule_campaign(
            actor=manager, campaign=ready, scheduled_at=NOW + dt.timedelta(hours=1)
        )
        clock.shift(dt.timedelta(hours=1))
        run_due_campaigns()
        runs.start_run(campaign_run_id=CampaignRun.objects.get().pk)
    assert stored(ready).status == "sending"


def test_a_due_campaign_whose_message_was_taken_back_is_held(chain, manager):
    with time_machine.travel(NOW, tick=False) as clock:
        campaign = approved(chain.manager, chain.regional, scheduled_at=NOW + dt.timedelta(hours=1))
        services.schedule_campaign(actor=manager, campaign=campaign)
        TemplateVersion.objects.update(whatsapp_status="disabled")
        clock.shift(dt.timedelta(hours=1))
        run_due_campaigns()
    assert stored(campaign).pause_reason == "whatsapp_template_not_approved"
    assert not SendRun.objects.exists()


def test_a_recurring_campaign_comes_back_after_each_run(chain, manager):
    with time_machine.travel(NOW, tick=False) as clock:
        campaign = approved(
            chain.manager,
            chain.regional,
            campaign_type="recurring",
            recurrence_pattern="daily",
            recurrence_time=dt.time(12, 0),
        )
        run_due_campaigns()
        first = dt.datetime(2026, 11, 2, 6, 30, tzinfo=dt.UTC)
        assert (stored(campaign).status, stored(campaign).next_run_at) == ("scheduled", first)
        clock.move_to(first)
        run_due_campaigns()
        run = CampaignRun.objects.select_related("send_run").get()
        runs.start_run(campaign_run_id=run.pk)
        finish(run)
        after = stored(campaign)
        assert (after.status, after.next_run_at) == ("scheduled", first + dt.timedelta(days=1))


def test_a_recurrence_with_an_end_is_sent_after_its_last_run(chain, manager):
    with time_machine.travel(NOW, tick=False) as clock:
        campaign = approved(
            chain.manager,
            chain.regional,
            campaign_type="recurring",
            recurrence_rule="FREQ=DAILY;COUNT=1;BYHOUR=12;BYMINUTE=0;BYSECOND=0",
        )
        clock.shift(dt.timedelta(hours=1))
        run = send(manager, campaign)
    with time_machine.travel(NOW + dt.timedelta(days=1), tick=False):
        finish(run)
    assert stored(campaign).status == "sent"


def test_a_lost_start_is_found_by_the_sweep(manager, ready, django_capture_on_commit_callbacks):
    services.send_campaign(actor=manager, campaign=ready)
    with django_capture_on_commit_callbacks() as enqueued:
        run_due_campaigns()
    assert len(enqueued) == 1
    runs.start_run(campaign_run_id=CampaignRun.objects.get().pk)
    with django_capture_on_commit_callbacks() as enqueued:
        run_due_campaigns()
    assert enqueued == []


def test_a_fault_in_one_campaign_does_not_stop_the_others(chain, monkeypatch):
    with time_machine.travel(NOW, tick=False):
        later = NOW + dt.timedelta(hours=1)
        broken, sound = (
            approved(chain.manager, chain.regional, scheduled_at=later) for _ in range(2)
        )
        schedule = runs.schedule_approved

        def fail_once(campaign):
            if campaign.pk == broken.pk:
                raise RuntimeError("no luck")
            schedule(campaign)

        monkeypatch.setattr(runs, "schedule_approved", fail_once)
        run_due_campaigns()
    assert (stored(broken).status, stored(sound).status) == ("approved", "scheduled")
