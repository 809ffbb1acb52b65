"""Money is held from the approval on, so that two campaigns never count on the same rupee."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.services import runs
from marketing.core import errors, events
from marketing.core.tenancy import tenant_scope
from marketing.delivery import services as delivery
from marketing.delivery.models import DispatchBatch, Message
from marketing.policy import services as policy
from marketing.policy.models import BudgetHold, BudgetMonth
from marketing.policy.services import budget
from tests.concurrency import at_once
from tests.factories.campaigns import approved, make_campaign, make_ground, submitted
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory
from tests.factories.policy import set_branch_config, set_config

PRICE = Decimal("0.8631")
PEOPLE = 4
COST = PEOPLE * PRICE
# Limits have two places: enough for one of them.
ENOUGH = Decimal("3.46")
# The last evening of October in India, and the next morning.
OCTOBER = dt.datetime(2026, 10, 31, 12, 0, tzinfo=dt.UTC)
NOVEMBER = dt.datetime(2026, 11, 1, 5, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def ground(request):
    if "chain" in request.fixturenames:
        chain = request.getfixturevalue("chain")
        make_ground(chain.north, people=PEOPLE)


def held():
    return sum(BudgetHold.objects.values_list("amount", flat=True))


def months(branch=None):
    rows = BudgetMonth.objects.filter(branch=branch).order_by("month")
    return {row.month.month: row.reserved for row in rows if row.reserved}


def reserved(branch=None):
    return sum(months(branch).values())


def test_an_approval_holds_what_it_will_cost(chain):
    submitted(chain.manager)
    assert (held(), reserved()) == (0, 0)
    approved(chain.manager, chain.regional)
    assert held() == reserved() == reserved(chain.north) == COST


def test_two_approved_campaigns_do_not_count_on_the_same_money(chain):
    set_branch_config(chain.north, monthly_budget_limit=ENOUGH)
    approved(chain.manager, chain.regional)
    second = submitted(chain.manager)
    with pytest.raises(errors.BudgetExceeded) as refusal:
        services.approve_campaign(actor=chain.actor(chain.regional), campaign=second)
    (short,) = refusal.value.details["shortfalls"]
    assert (short["branch"], Decimal(short["left"]), Decimal(short["asked"])) == (
        chain.north.name,
        ENOUGH - COST,
        COST,
    )
    assert Campaign.objects.get(pk=second.pk).status == "pending_approval"
    assert held() == COST


def test_where_nobody_approves_the_submission_holds_and_refuses(chain):
    set_config(campaign_approval_required=False)
    set_config(monthly_budget_limit=ENOUGH)
    assert submitted(chain.manager).status == "approved"
    draft = make_campaign(chain.manager)
    with pytest.raises(errors.BudgetExceeded):
        services.submit_campaign(actor=chain.actor(chain.manager), campaign=draft)
    assert Campaign.objects.get(pk=draft.pk).status == "draft"
    assert held() == COST


def test_the_freeze_takes_the_exact_cost_in_its_place(chain, manager):
    set_branch_config(chain.north, monthly_budget_limit=ENOUGH)
    campaign = approved(chain.manager, chain.regional)
    Message.objects.all().delete()
    run = services.send_campaign(actor=manager, campaign=campaign)
    assert held() == COST
    runs.start_run(campaign_run_id=run.pk)
    assert Campaign.objects.get(pk=campaign.pk).status == "sending"
    assert (held(), reserved(), reserved(chain.north)) == (0, COST, COST)


def edit(chain, campaign):
    actor = chain.actor(chain.manager)
    services.update_campaign(actor=actor, campaign=campaign, values={"name": "Another"})


def schedule_and_cancel(chain, campaign):
    actor = chain.actor(chain.manager)
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    services.schedule_campaign(actor=actor, campaign=campaign, scheduled_at=tomorrow)
    assert held() == COST
    services.cancel_campaign(actor=actor, campaign=campaign)


def edit_and_delete(chain, campaign):
    edit(chain, campaign)
    services.delete_campaign(actor=chain.actor(chain.manager), campaign=campaign)


@pytest.mark.parametrize("act", [edit, schedule_and_cancel, edit_and_delete])
def test_what_will_not_go_gives_its_money_back(chain, act):
    campaign = approved(chain.manager, chain.regional)
    assert reserved() == COST
    act(chain, campaign)
    assert (held(), reserved(), reserved(chain.north)) == (0, 0, 0)


def test_a_rejection_leaves_nothing_held(chain):
    campaign = submitted(chain.manager)
    services.reject_campaign(actor=chain.actor(chain.regional), campaign=campaign, reason="No.")
    assert (held(), reserved()) == (0, 0)


def test_a_refused_freeze_keeps_what_was_held_and_a_cancel_frees_it(chain, manager):
    campaign = approved(chain.manager, chain.regional)
    run = services.send_campaign(actor=manager, campaign=campaign)
    CustomerFactory.create_batch(PEOPLE, home_branch=chain.north)
    runs.start_run(campaign_run_id=run.pk)
    assert Campaign.objects.get(pk=campaign.pk).pause_reason == "audience_grown"
    assert held() == reserved() == COST
    services.cancel_campaign(actor=manager, campaign=campaign)
    assert (held(), reserved()) == (0, 0)


def test_who_is_stopped_for_want_of_money_holds_none(chain, manager):
    campaign = approved(chain.manager, chain.regional)
    run = services.send_campaign(actor=manager, campaign=campaign)
    set_branch_config(chain.north, monthly_budget_limit=Decimal("0.50"))
    runs.start_run(campaign_run_id=run.pk)
    assert Campaign.objects.get(pk=campaign.pk).pause_reason == "budget"
    assert (held(), reserved()) == (0, 0)


def test_money_is_held_in_the_month_in_which_it_goes(chain):
    with time_machine.travel(OCTOBER - dt.timedelta(days=9), tick=False):
        approved(chain.manager, chain.regional, scheduled_at=NOVEMBER)
        assert months() == months(chain.north) == {11: COST}


def test_a_time_given_after_the_approval_moves_what_is_held(chain, manager):
    with time_machine.travel(OCTOBER - dt.timedelta(days=9), tick=False):
        campaign = approved(chain.manager, chain.regional)
        assert months() == {10: COST}
        set_branch_config(chain.north, monthly_budget_limit=ENOUGH)
        services.schedule_campaign(actor=manager, campaign=campaign, scheduled_at=NOVEMBER)
        assert months() == months(chain.north) == {11: COST}


def test_the_turn_of_the_month_between_approval_and_run(chain, manager):
    """18:30 UTC is midnight in India: held for October, frozen in November."""
    due = dt.datetime(2026, 10, 31, 18, 29, tzinfo=dt.UTC)
    with time_machine.travel(OCTOBER, tick=False):
        campaign = approved(chain.manager, chain.regional, scheduled_at=due)
        services.schedule_campaign(actor=manager, campaign=campaign)
        assert months() == {10: COST}
    with time_machine.travel(due + dt.timedelta(minutes=2), tick=False):
        runs.run_if_due(campaign_id=campaign.pk)
        runs.start_run(campaign_run_id=CampaignRun.objects.get().pk)
        assert Campaign.objects.get().status == "sending"
    assert (months(), held()) == ({11: COST}, 0)


def test_what_was_held_ends_with_its_month_and_the_send_asks_anew(chain, manager):
    with time_machine.travel(OCTOBER, tick=False):
        campaign = approved(chain.manager, chain.regional)
    policy.open_budget_month(on=OCTOBER)
    assert months() == {10: COST}
    for _ in range(2):
        policy.open_budget_month(on=NOVEMBER)
        assert (held(), months()) == (0, {})
    with time_machine.travel(NOVEMBER, tick=False):
        set_branch_config(chain.north, monthly_budget_limit=ENOUGH - 1)
        with pytest.raises(errors.BudgetExceeded):
            services.send_campaign(actor=manager, campaign=campaign)
        set_branch_config(chain.north, monthly_budget_limit=ENOUGH)
        services.send_campaign(actor=manager, campaign=campaign)
        assert months() == {11: COST}


def test_a_recurring_campaign_holds_its_next_run_alone(chain, manager):
    october = dt.datetime(2026, 10, 20, 5, 0, tzinfo=dt.UTC)
    values = {"campaign_type": "recurring", "recurrence_rule": "FREQ=MONTHLY;BYMONTHDAY=25"}
    with time_machine.travel(october, tick=False):
        campaign = approved(chain.manager, chain.regional, scheduled_at=october, **values)
        services.schedule_campaign(actor=manager, campaign=campaign)
        assert months() == {10: COST}
    due = Campaign.objects.get().next_run_at
    with time_machine.travel(due + dt.timedelta(seconds=30), tick=False):
        runs.run_if_due(campaign_id=campaign.pk)
        run = CampaignRun.objects.get()
        runs.start_run(campaign_run_id=run.pk)
        assert (months(), held()) == ({10: COST}, 0)
        Message.objects.filter(run_id=run.send_run_id).update(state="delivered")
        DispatchBatch.objects.filter(number__gt=0).update(
            state="done", delivered=PEOPLE, queued=0, is_settled=False
        )
        delivery.finish_run_if_done(run_id=run.send_run_id)
        events.deliver_due()
    assert Campaign.objects.get().status == "scheduled"
    assert (months(), held()) == ({11: COST}, COST)


def approve_together(chain):
    with tenant_scope(chain.tenant.pk):
        make_ground(chain.north, people=PEOPLE)
        set_branch_config(chain.north, monthly_budget_limit=ENOUGH)
        waiting = iter([submitted(chain.manager).pk for _ in range(4)])

    def approve():
        with tenant_scope(chain.tenant.pk):
            services.approve_campaign(
                actor=chain.actor(chain.regional), campaign=Campaign(pk=next(waiting))
            )
            return "approved"

    given = at_once(4, approve, errors.BudgetExceeded)
    with tenant_scope(chain.tenant.pk):
        return given.count("approved"), held(), reserved(chain.north)


@pytest.mark.django_db(transaction=True)
def test_of_four_approved_at_once_the_money_reaches_for_one():
    assert approve_together(make_chain()) == (1, COST, COST)


@pytest.mark.django_db(transaction=True)
def test_without_the_condition_all_four_would_be_held(monkeypatch):
    """Shows that the test above can fail."""
    monkeypatch.setattr(budget, "MOVE", budget.MOVE.replace("<= limited.budget_limit)", "> 0)"))
    assert approve_together(make_chain()) == (4, 4 * COST, 4 * COST)
