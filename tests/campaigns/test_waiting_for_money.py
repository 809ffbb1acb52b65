"""What waits for money is looked at cheaply, and goes on when what it lacks is there."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors import plan
from marketing.campaigns.services import runs, sending
from marketing.core.events import deliver_due
from marketing.core.models import StaffNotification
from marketing.delivery.models import SendRun
from marketing.delivery.services import runs as delivery_runs
from marketing.delivery.tasks import settle_costs
from marketing.policy.models import BudgetHold
from marketing.segments.models import Segment
from tests.factories.campaigns import approved, make_ground
from tests.factories.policy import set_branch_config
from tests.factories.segments import where

PRICE = Decimal("0.8631")
PEOPLE = 6
CENT = Decimal("0.01")
# A Saturday in Mumbai, half past eleven, the last of October.
NOW = dt.datetime(2026, 10, 31, 6, 0, tzinfo=dt.UTC)
NOON = NOW + dt.timedelta(minutes=30)
LAST_OF_MONTH = "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=12;BYMINUTE=0;BYSECOND=0"

pytestmark = pytest.mark.usefixtures("tasks")


@pytest.fixture(autouse=True)
def now(chain):
    with time_machine.travel(NOW, tick=False) as travel:
        make_ground(chain.north, people=PEOPLE)
        yield travel


@pytest.fixture
def counted(monkeypatch):
    """How often people or their messages were counted."""
    calls = []

    def noting(name, work):
        def noted(*args, **named):
            calls.append(name)
            return work(*args, **named)

        return noted

    for module, name in ((plan, "estimate"), (plan, "audience"), (delivery_runs, "settle_batches")):
        monkeypatch.setattr(module, name, noting(name, getattr(module, name)))
    return calls


def stored():
    return Campaign.objects.select_related("template", "segment").get()


def limit(chain, amount):
    set_branch_config(chain.north, monthly_budget_limit=amount)


def held():
    return {hold.month.month: hold.amount for hold in BudgetHold.objects.all()}


def start_newest():
    runs.start_run(campaign_run_id=CampaignRun.objects.latest("number").pk)


def begun(chain, **values):
    """Approved, and its run made but not frozen."""
    campaign = approved(chain.manager, chain.regional, **values)
    services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    return campaign


def stopped(chain, how, **values):
    """It stands still for want of money: at its freeze, or with its people frozen."""
    campaign = begun(chain, **values)
    if how == "frozen":
        start_newest()
    limit(chain, 3 * PRICE)
    if how == "frozen":
        settle_costs()
        deliver_due()
    else:
        start_newest()
    assert (stored().status, stored().pause_reason) == ("paused", "budget")
    return campaign


@pytest.mark.parametrize("how", ["frozen", "unfrozen"])
def test_nobody_is_counted_while_the_money_is_short(chain, counted, how):
    campaign = stopped(chain, how)
    runs.run_if_due(campaign_id=campaign.pk)
    counted.clear()
    for _ in range(3):
        runs.run_if_due(campaign_id=campaign.pk)
    assert counted == []
    limit(chain, PEOPLE * PRICE - CENT)
    runs.run_if_due(campaign_id=campaign.pk)
    assert (counted, stored().status) == ([], "paused")
    limit(chain, PEOPLE * PRICE + CENT)
    runs.run_if_due(campaign_id=campaign.pk)
    assert counted != []
    assert (stored().status, stored().short_of) == ("sending", None)


@pytest.mark.parametrize("how", ["frozen", "unfrozen"])
def test_a_month_that_begins_is_looked_at(chain, now, how):
    campaign = stopped(chain, how)
    limit(chain, PEOPLE * PRICE + CENT)
    # All of October's is another's.
    other = approved(chain.manager, chain.regional)
    runs.run_if_due(campaign_id=campaign.pk)
    assert Campaign.objects.get(pk=campaign.pk).status == "paused"
    now.move_to(dt.datetime(2026, 10, 31, 18, 31, tzinfo=dt.UTC))
    runs.run_if_due(campaign_id=campaign.pk)
    assert Campaign.objects.get(pk=campaign.pk).status == "sending"
    assert Campaign.objects.get(pk=other.pk).status == "approved"


def test_a_recurring_one_asks_for_the_money_of_now_and_is_told_of_once(chain):
    """Not for that of its next date, which is there every minute."""
    campaign = stopped(
        chain, "unfrozen", campaign_type="recurring", recurrence_rule="FREQ=MONTHLY;BYMONTHDAY=25"
    )
    limit(chain, PEOPLE * PRICE + CENT)
    approved(chain.manager, chain.regional)
    # It has not been noted what it lacks.
    Campaign.objects.filter(pk=campaign.pk).update(short_of=None)
    version = Campaign.objects.get(pk=campaign.pk).version
    for _ in range(3):
        runs.run_if_due(campaign_id=campaign.pk)
        start_newest()
    assert Campaign.objects.get(pk=campaign.pk).version == version
    assert StaffNotification.objects.filter(kind="campaign.stopped").count() == 1


def test_what_cannot_go_on_with_its_money_waits_for_somebody(chain):
    campaign = stopped(chain, "unfrozen")
    Segment.objects.update(rules=where("no_such_field", "gte", 0))
    limit(chain, None)
    for _ in range(3):
        runs.run_if_due(campaign_id=campaign.pk)
    assert stored().pause_reason not in ("", "budget")
    assert stored().status == "paused"
    assert runs.waiting_campaign_ids() == []
    assert StaffNotification.objects.filter(kind="campaign.stopped").count() == 2


def recurring(chain, rule=LAST_OF_MONTH):
    campaign = approved(
        chain.manager, chain.regional, campaign_type="recurring", recurrence_rule=rule
    )
    runs.run_if_due(campaign_id=campaign.pk)
    return campaign


def test_what_waits_for_its_next_date_holds_the_money_of_that_month(chain, manager, now):
    campaign = recurring(chain)
    assert held() == {10: PEOPLE * PRICE}
    now.move_to(NOON + dt.timedelta(hours=4))
    runs.run_if_due(campaign_id=campaign.pk)
    assert stored().pause_reason == "missed_schedule"
    services.resume_campaign(actor=manager, campaign=campaign)
    assert (stored().next_run_at.month, held()) == (11, {11: PEOPLE * PRICE})


def test_where_the_next_date_finds_no_money_none_is_held(chain, manager, now):
    campaign = recurring(chain)
    services.pause_campaign(actor=manager, campaign=campaign)
    limit(chain, PRICE)
    now.move_to(NOON + dt.timedelta(hours=4))
    services.resume_campaign(actor=manager, campaign=campaign)
    assert (stored().status, held()) == ("scheduled", {})


def test_a_new_approval_at_the_freeze_holds_the_money_of_now(chain, now):
    campaign = begun(chain, campaign_type="recurring", recurrence_rule="FREQ=MONTHLY;BYMONTHDAY=25")
    Campaign.objects.update(approved_recipients=1)
    start_newest()
    assert stored().pause_reason == "audience_grown"
    services.resume_campaign(actor=chain.actor(chain.regional), campaign=campaign)
    assert held() == {10: PEOPLE * PRICE}


def test_a_date_that_came_while_an_old_run_waited_for_money_is_not_lost(chain, now):
    """The engine goes on by itself: the date is late, and asked about."""
    campaign = recurring(chain)
    sending.halt(stored(), "budget", "A woken run found none.")
    now.move_to(NOON + dt.timedelta(days=1))
    runs.run_if_due(campaign_id=campaign.pk)
    assert (stored().status, stored().next_run_at) == ("scheduled", NOON)
    runs.run_if_due(campaign_id=campaign.pk)
    assert stored().pause_reason == "missed_schedule"
    assert not SendRun.objects.exists()
