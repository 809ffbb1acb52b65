"""The hard stop: where the money is gone mid-run, the rest is held, and goes on with the money."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors.progress import figures_of
from marketing.campaigns.services import runs
from marketing.core import clock, errors
from marketing.core.events import deliver_due
from marketing.delivery import selectors as delivery_selectors
from marketing.delivery.models import BatchCost, Message, SendRun
from marketing.delivery.services import settle_due
from marketing.delivery.tasks import settle_costs
from marketing.policy.models import BudgetMonth
from marketing.policy.selectors import month_of
from tests.factories.campaigns import approved, make_ground
from tests.factories.delivery import become
from tests.factories.policy import set_branch_config, set_config

PRICE = Decimal("0.8631")
# Limits have two places.
CENT = Decimal("0.01")
PEOPLE = 6


@pytest.fixture
def ready(chain, tasks):
    make_ground(chain.north, people=PEOPLE)
    return approved(chain.manager, chain.regional)


def begun(chain, campaign):
    run = services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    return SendRun.objects.get(pk=run.send_run_id)


def deliver(run, people):
    for message in Message.objects.filter(run=run, state="queued").order_by("pk")[:people]:
        Message.objects.filter(pk=message.pk).update(sending_at=clock.now())
        become(message, "delivered")


def money(branch=None):
    rows = BudgetMonth.objects.filter(branch=branch).order_by("month")
    return {row.month.month: (row.reserved, row.spent) for row in rows if row.reserved or row.spent}


def stopped_at(chain, campaign, people, limit):
    """Its limit is lowered when so many have it."""
    run = begun(chain, campaign)
    deliver(run, people)
    set_branch_config(chain.north, monthly_budget_limit=limit)
    settle_costs()
    deliver_due()
    return run


def test_a_lowered_limit_holds_the_rest(chain, ready):
    run = stopped_at(chain, ready, 2, 3 * PRICE)
    campaign = Campaign.objects.get()
    assert (campaign.status, campaign.pause_reason) == ("paused", "budget")
    assert chain.north.name in campaign.pause_detail
    states = figures_of([campaign])[campaign.pk].states
    assert {state: n for state, n in states.items() if n} == {"delivered": 2, "held": 4}
    shown = delivery_selectors.recipients_page(
        SendRun.objects.get(pk=run.pk), states=["held"], reason="budget", size=10
    )
    assert {(one.state, one.reason) for one in shown} == {("held", "budget")}
    assert len(shown) == 4
    (spent,) = money().values()
    assert spent == (0, 2 * PRICE)
    assert money() == money(chain.north)


def test_it_goes_on_when_the_limit_is_raised_and_not_before(chain, ready):
    stopped_at(chain, ready, 2, 3 * PRICE)
    with pytest.raises(errors.BudgetExceeded):
        services.resume_campaign(actor=chain.actor(chain.manager), campaign=ready)
    runs.run_if_due(campaign_id=ready.pk)
    assert Campaign.objects.get().status == "paused"
    assert SendRun.objects.get().state == "paused"
    set_branch_config(chain.north, monthly_budget_limit=PEOPLE * PRICE + CENT)
    assert runs.waiting_campaign_ids() == [ready.pk]
    runs.run_if_due(campaign_id=ready.pk)
    assert Campaign.objects.get().status == "sending"
    assert list(money().values()) == [(4 * PRICE, 2 * PRICE)]
    settle_costs()
    assert SendRun.objects.get().state == "frozen"


def test_costs_above_what_was_promised_stop_it_too(chain, ready):
    set_branch_config(chain.north, monthly_budget_limit=PEOPLE * PRICE + CENT)
    run = begun(chain, ready)
    dear = Message.objects.filter(run=run).first()
    Message.objects.filter(pk=dear.pk).update(cost=3 * PRICE)
    become(dear, "delivered")
    settle_costs()
    deliver_due()
    assert Campaign.objects.get().pause_reason == "budget"
    assert list(money().values()) == [(0, 3 * PRICE)]


def test_a_limit_that_still_reaches_stops_nobody(chain, ready):
    run = begun(chain, ready)
    deliver(run, 2)
    set_branch_config(chain.north, monthly_budget_limit=PEOPLE * PRICE + CENT)
    set_config(monthly_budget_limit=PEOPLE * PRICE + CENT)
    settle_costs()
    assert SendRun.objects.get().state == "frozen"


def test_what_is_held_for_an_approved_campaign_stops_no_running_one(chain, ready):
    begun(chain, ready)
    approved(chain.manager, chain.regional)
    set_branch_config(chain.north, monthly_budget_limit=PEOPLE * PRICE + CENT)
    settle_costs()
    assert SendRun.objects.get().state == "frozen"


def test_the_last_to_come_gives_way_and_the_first_goes_on(chain, ready):
    set_config(daily_message_limit_per_customer=9, weekly_message_limit_per_customer=9)
    first = begun(chain, ready)
    second = begun(chain, approved(chain.manager, chain.regional))
    set_config(monthly_budget_limit=(PEOPLE + 1) * PRICE)
    settle_costs()
    states = dict(SendRun.objects.values_list("pk", "state"))
    assert states == {first.pk: "frozen", second.pk: "paused"}
    assert list(money().values()) == [(PEOPLE * PRICE, 0)]


def test_one_branch_short_stops_a_campaign_of_several(chain, tasks):
    """All of it waits and says for whom, as at the freeze: nobody's share is decided silently."""
    make_ground(chain.north, chain.south, people=3)
    campaign = approved(chain.regional, chain.owner)
    assert campaign.branch_ids == sorted([chain.north.pk, chain.south.pk])
    run = begun(chain, campaign)
    assert money(chain.north) == money(chain.south)
    set_branch_config(chain.south, monthly_budget_limit=PRICE)
    settle_costs()
    deliver_due()
    stopped = Campaign.objects.get()
    assert (stopped.status, stopped.pause_reason) == ("paused", "budget")
    assert chain.south.name in stopped.pause_detail
    assert (money(), figures_of([stopped])[stopped.pk].states["held"]) == ({}, 6)
    set_branch_config(chain.south, monthly_budget_limit=None)
    runs.run_if_due(campaign_id=campaign.pk)
    assert SendRun.objects.get(pk=run.pk).state == "frozen"
    assert list(money().values()) == [(6 * PRICE, 0)]


def test_a_branch_without_a_limit_is_bound_by_the_chain_alone(chain, ready):
    begun(chain, ready)
    settle_costs()
    assert SendRun.objects.get().state == "frozen"
    set_config(monthly_budget_limit=PRICE)
    settle_costs()
    assert SendRun.objects.get().state == "paused"


def test_a_branch_with_nothing_pays_for_nothing(chain, tasks):
    make_ground(chain.north, people=1)
    set_branch_config(chain.north, monthly_budget_limit=0)
    with pytest.raises(errors.BudgetExceeded):
        approved(chain.manager, chain.regional)
    assert not BudgetMonth.objects.exists()


def test_a_new_month_pays_for_the_rest(chain, ready):
    now = clock.now()
    month = month_of(now)
    later = dt.datetime.combine(
        (month + dt.timedelta(days=32)).replace(day=3), dt.time(6), tzinfo=dt.UTC
    )
    run = stopped_at(chain, ready, 2, 3 * PRICE)
    set_branch_config(chain.north, monthly_budget_limit=Decimal("3.46"))
    with time_machine.travel(later, tick=False):
        runs.run_if_due(campaign_id=ready.pk)
        assert Campaign.objects.get().status == "sending"
        old, new = (0, 2 * PRICE), (4 * PRICE, 0)
        assert money() == money(chain.north) == {month.month: old, later.month: new}
        deliver(run, 3)
        settle_due()
        assert (
            money()
            == money(chain.north)
            == {
                month.month: old,
                later.month: (PRICE, 3 * PRICE),
            }
        )
        # A late word about the old month's message gives its money back to that month.
        early = Message.objects.filter(run=run, state="delivered").order_by("pk").first()
        become(early, "failed")
        settle_due()
        assert (
            money()
            == money(chain.north)
            == {
                month.month: (0, PRICE),
                later.month: (PRICE, 3 * PRICE),
            }
        )
    booked = BatchCost.objects.filter(run_id=run.pk).values_list("reserved", "spent")
    assert sum(spent for _, spent in booked) == 4 * PRICE


def test_a_cancelled_rest_costs_nothing(chain, ready):
    stopped_at(chain, ready, 2, 3 * PRICE)
    services.cancel_campaign(actor=chain.actor(chain.manager), campaign=ready)
    assert list(money().values()) == [(0, 2 * PRICE)]


def test_a_campaign_that_never_began_begins_with_the_money(chain, ready):
    services.send_campaign(actor=chain.actor(chain.manager), campaign=ready)
    set_branch_config(chain.north, monthly_budget_limit=PRICE)
    runs.start_run(campaign_run_id=CampaignRun.objects.get().pk)
    runs.run_if_due(campaign_id=ready.pk)
    assert CampaignRun.objects.count() == 1
    set_branch_config(chain.north, monthly_budget_limit=PEOPLE * PRICE + CENT)
    runs.run_if_due(campaign_id=ready.pk)
    runs.start_run(campaign_run_id=CampaignRun.objects.get(number=2).pk)
    assert Campaign.objects.get().status == "sending"
    assert list(money().values()) == [(PEOPLE * PRICE, 0)]


def test_long_after_its_time_it_asks(chain, ready):
    services.send_campaign(actor=chain.actor(chain.manager), campaign=ready)
    set_branch_config(chain.north, monthly_budget_limit=PRICE)
    runs.start_run(campaign_run_id=CampaignRun.objects.get().pk)
    set_branch_config(chain.north, monthly_budget_limit=None)
    with time_machine.travel(clock.now() + dt.timedelta(hours=3), tick=False):
        runs.run_if_due(campaign_id=ready.pk)
        runs.start_run(campaign_run_id=CampaignRun.objects.get(number=2).pk)
    assert Campaign.objects.get().pause_reason == "missed_schedule"
    assert not Message.objects.exists()
