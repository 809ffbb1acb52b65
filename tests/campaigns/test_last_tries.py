"""A campaign that is through, and whose run was woken for who is tried again later."""

import datetime as dt

import pytest
from django.urls import reverse

from marketing.campaigns import recurrence, services
from marketing.campaigns.models import Campaign
from marketing.campaigns.services import runs
from marketing.core import clock, events
from marketing.delivery import services as delivery
from marketing.delivery.models import DispatchBatch, SendRun
from tests.campaigns.test_sending import finish, send, stored
from tests.factories.campaigns import approved, make_ground

EVERY_DAY = recurrence.laid_over("", "daily", None, dt.time(12))


@pytest.fixture
def ready(chain):
    make_ground(chain.north, people=10)
    return approved(chain.manager, chain.regional)


def woken(manager, ready):
    """A run that was woken for one more try, after its campaign was through."""
    run = send(manager, ready)
    finish(run)
    SendRun.objects.filter(pk=run.send_run_id).update(state="frozen", finished_at=None)
    DispatchBatch.objects.filter(run_id=run.send_run_id).update(state="waiting")
    return run


def test_the_page_follows_a_last_try_and_says_when_it_goes(manager, ready, login):
    run = woken(manager, ready)
    due = clock.now() + dt.timedelta(minutes=5)
    last = DispatchBatch.objects.filter(run_id=run.send_run_id, number__gt=0)
    last.update(queued=1, next_at=due)
    address = reverse("campaign-live", args=[ready.pk])
    page = login("manager").get(address).content.decode()
    assert "every 2s" in page
    assert "The next message goes" in page
    assert f'<time datetime="{due:%Y-%m-%dT%H:%M}' in page

    last.update(next_at=clock.now() - dt.timedelta(minutes=1))
    page = login("manager").get(address).content.decode()
    assert "every 2s" in page
    assert "The next message goes" not in page


def test_a_last_try_that_stopped_for_the_account_goes_on_with_it(manager, ready):
    run = woken(manager, ready)
    batch = DispatchBatch.objects.get(run_id=run.send_run_id)
    delivery.pause_run(run=run.send_run, reason="account_paused")
    runs.resume_after_outage(account_id=batch.account_id)
    assert SendRun.objects.get(pk=run.send_run_id).state == "frozen"
    assert stored(ready).status == "sent"


def test_a_last_try_that_stopped_for_its_text_waits_for_a_person(manager, ready):
    run = woken(manager, ready)
    delivery.pause_run(run=run.send_run, reason="template_stopped", detail="Diwali")
    events.deliver_due()
    paused = stored(ready)
    assert (paused.status, paused.pause_reason, paused.pause_detail) == (
        "paused", "template_stopped", "Diwali",
    )  # fmt: skip
    services.resume_campaign(actor=manager, campaign=ready)
    assert SendRun.objects.get(pk=run.send_run_id).state == "frozen"
    assert stored(ready).status == "sending"
    finish(run)
    assert stored(ready).status == "sent"


def test_a_last_try_that_stopped_can_be_given_up(manager, ready):
    run = woken(manager, ready)
    delivery.pause_run(run=run.send_run, reason="template_stopped")
    events.deliver_due()
    services.cancel_campaign(actor=manager, campaign=ready)
    assert SendRun.objects.get(pk=run.send_run_id).state == "cancelled"


def test_an_earlier_run_that_stopped_goes_on_with_a_recurring_campaign(manager, ready):
    run = woken(manager, ready)
    Campaign.objects.filter(pk=ready.pk).update(
        status="scheduled", campaign_type="recurring", recurrence_rule=EVERY_DAY
    )
    delivery.pause_run(run=run.send_run, reason="template_stopped")
    events.deliver_due()
    assert stored(ready).status == "paused"
    services.resume_campaign(actor=manager, campaign=ready)
    assert stored(ready).status == "scheduled"
    assert SendRun.objects.get(pk=run.send_run_id).state == "frozen"
