"""Who is told that a month's budget runs out, once, where they look."""

from decimal import Decimal

import pytest
from django.urls import reverse

from marketing.campaigns import handlers
from marketing.core import clock, news
from marketing.core.events import deliver_due
from marketing.core.models import DomainEvent, StaffNotification
from marketing.policy import services as policy
from tests.campaigns.test_pages import text_of
from tests.factories.campaigns import approved, make_ground
from tests.factories.policy import set_branch_config, set_config

PRICE = Decimal("0.8631")

pytestmark = pytest.mark.usefixtures("tasks")


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=4)


def told():
    found = StaffNotification.objects.filter(kind__startswith="budget.")
    return set(found.values_list("staff__name", "kind"))


def test_a_branchs_managers_are_told_once(chain, login):
    set_branch_config(chain.north, monthly_budget_limit=Decimal("4.00"))
    approved(chain.manager, chain.regional)
    deliver_due()
    kind = "budget.branch_threshold"
    who = {person.name for person in (chain.manager, chain.regional, chain.owner)}
    assert told() == {(name, kind) for name in who}
    handlers.tell_of_budgets(DomainEvent.objects.filter(name="budget.threshold_reached"))
    assert StaffNotification.objects.filter(kind=kind).count() == 3
    mine = StaffNotification.objects.get(kind=kind, staff=chain.manager)
    assert news.told(mine).title == "North has used 86% of its month’s budget"
    assert news.told(mine).address == reverse("spend")
    shown = text_of(login("manager").get(reverse("home")))
    assert "North: 86" in shown
    assert "of the limit is used" in shown
    assert "of the limit is used" not in text_of(login("receptionist").get(reverse("home")))


def test_who_has_not_the_branch_is_not_told(chain):
    set_branch_config(chain.west, monthly_budget_limit=Decimal("1.00"))
    policy.reserve_budget(branch_costs={chain.west.pk: Decimal("0.9")}, on=clock.now())
    deliver_due()
    assert told() == {(chain.owner.name, "budget.branch_threshold")}


def test_the_chains_limit_binds_all_and_all_managers_are_told_without_amounts(chain, login):
    set_config(monthly_budget_limit=Decimal("4.00"))
    approved(chain.manager, chain.regional)
    deliver_due()
    who = {person.name for person in (chain.manager, chain.regional, chain.owner)}
    assert told() == {(name, "budget.chain_threshold") for name in who}
    mine = StaffNotification.objects.get(staff=chain.manager, kind="budget.chain_threshold")
    assert mine.facts.keys() == {"branch", "percent", "month"}
    assert news.told(mine).title == "The whole chain has used 86% of its month’s budget"
    # What the chain has spent is not his to see.
    assert "of the limit is used" not in text_of(login("manager").get(reverse("home")))
    assert "of the limit is used" in text_of(login("owner").get(reverse("home")))


def test_a_limit_taken_away_from_what_is_used_up(chain):
    approved(chain.manager, chain.regional)
    owner = chain.actor(chain.owner)
    policy.update_branch_config(
        actor=owner, branch=chain.north, values={"monthly_budget_limit": Decimal(0)}
    )
    deliver_due()
    mine = StaffNotification.objects.get(staff=chain.manager, kind="budget.branch_threshold")
    assert mine.facts["percent"] == 100
