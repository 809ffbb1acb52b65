"""A recurring campaign from its first date to its last, as the sweep and the workers see it."""

import datetime as dt
from collections import Counter

import pytest
import time_machine

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.services import runs
from marketing.campaigns.tasks import run_due_campaigns
from marketing.core import clock
from marketing.core.events import deliver_due
from marketing.core.models import DomainEvent
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.services import finish_done_runs
from tests.delivery.conftest import accepted
from tests.factories.campaigns import approved, make_ground

PEOPLE = 4
# A Monday in Mumbai, half past eleven in the morning.
NOW = dt.datetime(2026, 1, 5, 6, 0, tzinfo=dt.UTC)
STEP = dt.timedelta(minutes=30)
# Mondays and Thursdays at noon, three weeks long, but not on the second Monday.
RULE = (
    "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=12;BYMINUTE=0;BYSECOND=0;UNTIL=20260124T235959\n"
    "EXDATE;VALUE=DATE:20260112"
)


@pytest.fixture
def chain(live_chain, vendor, settings, tasks, monkeypatch):
    """People whom nothing but the campaign writes to, and an account at the vendor."""
    settings.SANDBOX_URL = vendor.url
    vendor.answer = accepted
    monkeypatch.setattr("marketing.delivery.dispatch.marking.PAIR_PACE", dt.timedelta())
    with tenant_scope(live_chain.tenant.pk):
        make_ground(live_chain.north, people=PEOPLE)
    return live_chain


def a_while(chain, travel):
    """Half an hour passes: the sweep looks, tasks begin what is due, workers send it."""
    travel.shift(STEP)
    run_due_campaigns()
    with tenant_scope(chain.tenant.pk):
        ready = CampaignRun.objects.filter(send_run__state=SendRun.State.READY)
        for pk in ready.values_list("pk", flat=True):
            runs.start_run(campaign_run_id=pk)
        is_frozen = SendRun.objects.filter(state=SendRun.State.FROZEN).exists()
    if is_frozen:
        DispatchBatch.objects.update(next_at=NOW)
        worker.run()
        with tenant_scope(chain.tenant.pk):
            finish_done_runs()
        deliver_due()


def until(chain, travel, moment):
    while clock.now() < moment:
        a_while(chain, travel)


def stored(chain):
    with tenant_scope(chain.tenant.pk):
        return Campaign.objects.select_related("template", "segment").get()


def begun(chain):
    """The days on which it went."""
    with tenant_scope(chain.tenant.pk):
        return [f"{run.due_at:%d %H:%M}" for run in CampaignRun.objects.order_by("number")]


@pytest.mark.parametrize("answer", [{}, {"at_once": True}], ids=["waits", "now"])
def test_three_weeks(chain, vendor, answer):
    with time_machine.travel(NOW, tick=True) as travel:
        with tenant_scope(chain.tenant.pk):
            approved(chain.manager, chain.regional, campaign_type="recurring", recurrence_rule=RULE)
        run_due_campaigns()
        until(chain, travel, NOW + dt.timedelta(days=4))
        assert begun(chain) == ["05 06:30", "08 06:30"]
        # The second Monday is skipped.
        assert stored(chain).next_run_at == dt.datetime(2026, 1, 15, 6, 30, tzinfo=dt.UTC)
        until(chain, travel, dt.datetime(2026, 1, 15, 6, 0, tzinfo=dt.UTC))
        assert (stored(chain).status, len(begun(chain))) == ("scheduled", 2)

        # The scheduler sleeps over the second Thursday: the campaign asks whether it goes late.
        travel.shift(6 * STEP)
        a_while(chain, travel)
        paused = stored(chain)
        assert (paused.status, paused.pause_reason) == ("paused", "missed_schedule")
        until(chain, travel, dt.datetime(2026, 1, 16, 9, 0, tzinfo=dt.UTC))
        assert len(begun(chain)) == 2
        with tenant_scope(chain.tenant.pk):
            services.resume_campaign(
                actor=chain.actor(chain.manager), campaign=stored(chain), **answer
            )
        a_while(chain, travel)
        next_monday = dt.datetime(2026, 1, 19, 6, 30, tzinfo=dt.UTC)
        assert (stored(chain).status, stored(chain).next_run_at) == ("scheduled", next_monday)

        until(chain, travel, NOW + dt.timedelta(days=21))
    made_up = [day for day in begun(chain) if day.startswith("16")]
    assert len(made_up) == len(answer)
    assert begun(chain) == ["05 06:30", "08 06:30", *made_up, "19 06:30", "22 06:30"]
    assert (stored(chain).status, stored(chain).next_run_at) == ("sent", None)
    with tenant_scope(chain.tenant.pk):
        assert DomainEvent.objects.filter(name="campaign.completed").count() == 1
        assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
        each = Counter(Message.objects.values_list("customer_id", flat=True))
    assert list(each.values()) == [len(begun(chain))] * PEOPLE
    assert list(vendor.times_asked().values()) == [1] * (PEOPLE * len(begun(chain)))
