"""Over HTTP: the money ends in the middle of a run; nobody gets it twice, nobody is lost."""

import datetime as dt
import threading
from contextlib import suppress
from decimal import Decimal

from django.utils import timezone

from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.progress import figures_of
from marketing.campaigns.tasks import run_due_campaigns
from marketing.core.events import deliver_due
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.services import stop_an_overdrawn_run
from marketing.delivery.tasks import settle_costs
from marketing.policy import selectors as policy
from marketing.policy.models import BudgetMonth
from tests.campaigns.outage.conftest import PEOPLE, send, work
from tests.concurrency import at_once
from tests.factories.campaigns import approved
from tests.factories.policy import set_branch_config

PRICE = Decimal("0.8631")
LATER = dt.timedelta(hours=1)


def states_of(chain):
    with tenant_scope(chain.tenant.pk):
        figures = figures_of([campaign := Campaign.objects.get()])[campaign.pk]
    assert sum(figures.states.values()) == figures.audience == PEOPLE
    return {state: count for state, count in figures.states.items() if count}


def limit(chain, amount):
    with tenant_scope(chain.tenant.pk):
        set_branch_config(chain.north, monthly_budget_limit=amount)
    settle_costs()
    deliver_due()


def test_the_rest_is_held_and_goes_on_with_the_money(chain, ready, working):
    send(chain, ready)
    with tenant_scope(chain.tenant.pk):
        put_off = Message.objects.order_by("pk")[2:].values("pk")
        Message.objects.filter(pk__in=put_off).update(not_before=timezone.now() + LATER)
    DispatchBatch.objects.update(next_at=timezone.now())
    worker.run()
    assert states_of(chain) == {"sent": 2, "queued": PEOPLE - 2}

    limit(chain, Decimal("2.00"))
    assert states_of(chain) == {"sent": 2, "held": PEOPLE - 2}
    work(chain)
    run_due_campaigns()
    work(chain)
    assert states_of(chain) == {"sent": 2, "held": PEOPLE - 2}

    limit(chain, None)
    run_due_campaigns()
    deliver_due()
    work(chain)
    assert states_of(chain) == {"sent": PEOPLE}
    assert set(working.took.values()) == {1}
    assert len(working.took) == PEOPLE
    with tenant_scope(chain.tenant.pk):
        assert (Campaign.objects.get().status, SendRun.objects.get().state) == ("sent", "done")


def test_of_two_runs_one_gives_way_however_many_look(chain, ready, monkeypatch):
    with tenant_scope(chain.tenant.pk):
        other = approved(chain.manager, chain.regional, name="The second")
    send(chain, ready)
    send(chain, other)
    with tenant_scope(chain.tenant.pk):
        set_branch_config(chain.north, monthly_budget_limit=Decimal("5.00"))

    seen_by_both, one_stopped = threading.Barrier(2), threading.Event()
    overdrawn = policy.overdrawn

    def seen_together():
        found = overdrawn()
        with suppress(threading.BrokenBarrierError):
            if seen_by_both.wait(timeout=0.3):
                one_stopped.wait(timeout=5)
        return found

    monkeypatch.setattr("marketing.delivery.services.overdraft.policy.overdrawn", seen_together)

    def look():
        with tenant_scope(chain.tenant.pk):
            stop_an_overdrawn_run()
        one_stopped.set()

    at_once(2, look)
    with tenant_scope(chain.tenant.pk):
        states = dict(SendRun.objects.values_list("campaign_id", "state"))
        assert states == {ready.pk: "frozen", other.pk: "paused"}
        row = BudgetMonth.objects.get(branch=chain.north)
        assert row.reserved == PEOPLE * PRICE


def test_without_stopping_there_is_nothing_to_see(chain, ready, monkeypatch):
    """Shows that the tests above can fail."""
    monkeypatch.setattr("marketing.delivery.services.overdraft.pause_run", lambda **_: None)
    send(chain, ready)
    with tenant_scope(chain.tenant.pk):
        set_branch_config(chain.north, monthly_budget_limit=Decimal("1.00"))
        assert stop_an_overdrawn_run()
    assert states_of(chain) == {"queued": PEOPLE}
