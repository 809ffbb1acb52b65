"""Two who move the same money at once: the second waits for the first and sees what it did."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.services import runs
from marketing.core import clock
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import Message, SendRun
from marketing.policy import services as policy
from marketing.policy.models import BudgetHold, BudgetMonth
from tests.concurrency import wait_for_me
from tests.factories.campaigns import approved, make_ground
from tests.factories.core import make_chain


@pytest.fixture
def ready(transactional_db, tasks):
    """An approved campaign and its author, committed, so that other connections see them."""
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        make_ground(chain.north, people=2)
        return chain, approved(chain.manager, chain.regional), chain.actor(chain.manager)


def in_scope(chain, work, **values):
    def done():
        with tenant_scope(chain.tenant.pk):
            return work(**values)

    return done


def one_then_the_other(chain, first, second):
    """`second` begins while `first` is done but not committed."""
    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(chain.tenant.pk):
            first()
            waiting = wait_for_me(in_scope(chain, second), pool)
            assert not waiting.done()
        waiting.result(20)


@pytest.mark.parametrize("order", [1, -1], ids=["cancelled first", "frozen first"])
def test_a_cancel_against_the_freeze(ready, order):
    chain, campaign, manager = ready
    with tenant_scope(chain.tenant.pk):
        run = services.send_campaign(actor=manager, campaign=campaign)
    acts = (
        lambda: services.cancel_campaign(actor=manager, campaign=campaign),
        lambda: runs.start_run(campaign_run_id=run.pk),
    )
    one_then_the_other(chain, *acts[::order])
    with tenant_scope(chain.tenant.pk):
        assert Campaign.objects.get().status == "cancelled"
        assert SendRun.objects.get().state == "cancelled"
        assert not Message.objects.exclude(state="skipped").exists()
        assert not BudgetHold.objects.exists()
        assert set(BudgetMonth.objects.values_list("reserved", "spent")) == {(0, 0)}


@pytest.mark.parametrize("order", [1, -1], ids=["the month first", "the month last"])
@pytest.mark.parametrize("act", ["send", "edit"])
def test_a_month_that_begins_against_who_moves_what_is_held(ready, act, order):
    """What is held is given back once, by one of them."""
    chain, campaign, manager = ready
    next_month = clock.now() + dt.timedelta(days=32)

    def move():
        if act == "send":
            runs.start_run(campaign_run_id=run.pk)
        else:
            services.update_campaign(actor=manager, campaign=campaign, values={"name": "Another"})

    with tenant_scope(chain.tenant.pk):
        if act == "send":
            run = services.send_campaign(actor=manager, campaign=campaign)
    acts = (lambda: policy.open_budget_month(on=next_month), move)
    one_then_the_other(chain, *acts[::order])
    with tenant_scope(chain.tenant.pk):
        frozen = CampaignRun.objects.filter(send_run__state="frozen").count()
        assert frozen == (act == "send")
        held = sum(Message.objects.values_list("cost", flat=True))
        reserved = BudgetMonth.objects.filter(branch=None).values_list("reserved", flat=True)
        assert sum(reserved) == held
        assert not BudgetHold.objects.exists()
