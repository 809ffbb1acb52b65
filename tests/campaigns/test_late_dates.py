"""No date of an approved campaign is lost in silence: it goes, goes late, or somebody is asked."""

import datetime as dt

import pytest
import time_machine

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.services import runs
from marketing.campaigns.tasks import run_due_campaigns
from marketing.core.models import AuditEntry, StaffNotification
from marketing.delivery.models import Message
from tests.campaigns.test_pages import page, text_of
from tests.factories.campaigns import approved, make_ground, submitted
from tests.factories.delivery import become, finish

# A Monday, half past eleven in Mumbai; the campaign goes at noon.
NOW = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
NOON = NOW + dt.timedelta(minutes=30)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
DAILY = "FREQ=DAILY;BYHOUR=12;BYMINUTE=0;BYSECOND=0"

pytestmark = pytest.mark.usefixtures("tasks")


@pytest.fixture(autouse=True)
def now(chain):
    with time_machine.travel(NOW, tick=False) as travel:
        make_ground(
            chain.north,
            people=2,
            daily_message_limit_per_customer=9,
            weekly_message_limit_per_customer=9,
        )
        yield travel


def recurring(chain, rule=DAILY):
    return approved(chain.manager, chain.regional, campaign_type="recurring", recurrence_rule=rule)


def stored():
    return Campaign.objects.select_related("template", "segment").get()


def stops():
    """How often the history says it was stopped, and its author was told."""
    acts = AuditEntry.objects.filter(action="campaign.stop").count()
    return acts, StaffNotification.objects.filter(kind="campaign.stopped").count()


def frozen():
    run = CampaignRun.objects.select_related("send_run").latest("number")
    runs.start_run(campaign_run_id=run.pk)
    return run.send_run


def sent(send_run):
    for message in Message.objects.filter(run_id=send_run.pk):
        become(message, "delivered")
    finish(send_run)
    runs.note_run_finished(send_run_id=send_run.pk)


def test_the_last_date_passed_before_the_approval(chain, login, now):
    campaign = submitted(
        chain.manager, campaign_type="recurring", recurrence_rule=f"{DAILY};COUNT=1"
    )
    now.shift(DAY)
    services.approve_campaign(actor=chain.actor(chain.regional), campaign=campaign)
    for _ in range(3):
        run_due_campaigns()
        now.shift(MINUTE)
    paused = stored()
    assert (paused.status, paused.paused_from) == ("paused", "scheduled")
    assert paused.pause_reason == "missed_schedule"
    assert stops() == (1, 1)
    assert runs.waiting_campaign_ids() == []
    shown = text_of(login("manager").get(page(campaign)))
    assert "The last of its dates had passed when it was approved." in shown
    assert "Send now" in shown
    login("manager").post(page(campaign, "campaign-resume"), {"now": "1"})
    run_due_campaigns()
    assert stored().status == "sending"
    sent(frozen())
    assert stored().status == "sent"


@pytest.mark.parametrize(
    "values",
    [{"scheduled_at": NOON}, {"campaign_type": "recurring", "recurrence_rule": DAILY}],
    ids=["once", "again and again"],
)
def test_approved_a_moment_before_its_time_it_still_goes(chain, now, values):
    now.move_to(NOON - MINUTE / 6)
    approved(chain.manager, chain.regional, **values)
    now.move_to(NOON + MINUTE / 6)
    run_due_campaigns()
    assert (stored().status, CampaignRun.objects.get().due_at) == ("sending", NOON)


def test_approved_long_after_its_time_it_asks(chain, now):
    campaign = submitted(chain.manager, scheduled_at=NOON)
    now.shift(DAY)
    services.approve_campaign(actor=chain.actor(chain.regional), campaign=campaign)
    for _ in range(2):
        run_due_campaigns()
    paused = stored()
    assert (paused.status, paused.pause_reason) == ("paused", "missed_schedule")
    # In the clock time of the chain.
    assert paused.pause_detail == "It was due on 2 Nov 2026, 12:00 p.m."
    assert stops() == (1, 1)


@pytest.mark.parametrize(("late", "status"), [(5 * MINUTE, "sending"), (3 * 60 * MINUTE, "paused")])
def test_a_date_that_came_while_the_last_was_being_sent(chain, now, late, status):
    recurring(chain)
    run_due_campaigns()
    now.move_to(NOON)
    run_due_campaigns()
    send_run = frozen()
    now.move_to(NOON + DAY + late)
    run_due_campaigns()
    assert CampaignRun.objects.count() == 1
    sent(send_run)
    assert (stored().status, stored().next_run_at) == ("scheduled", NOON + DAY)
    run_due_campaigns()
    assert stored().status == status
    assert stored().pause_reason == ("missed_schedule" if status == "paused" else "")
    assert stops() == ((1, 1) if status == "paused" else (0, 0))


def test_a_date_that_came_while_failed_messages_went_again(chain, manager, now):
    campaign = recurring(chain)
    run_due_campaigns()
    now.move_to(NOON)
    run_due_campaigns()
    send_run = frozen()
    become(Message.objects.first(), "failed", "131053", "fail_content")
    for message in Message.objects.exclude(state="failed"):
        become(message, "delivered")
    finish(send_run)
    runs.note_run_finished(send_run_id=send_run.pk)
    # The sweep has not looked yet.
    now.move_to(NOON + DAY + MINUTE / 6)
    services.retry_failed(actor=manager, campaign=campaign, run_id=send_run.pk)
    sent(CampaignRun.objects.get(number=2).send_run)
    assert (stored().status, stored().next_run_at) == ("scheduled", NOON + DAY)
