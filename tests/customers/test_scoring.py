"""Scores, stages and rhythms, by the limits that a chain sets."""

import datetime as dt
from decimal import Decimal

import pytest

from customers import facts, scoring, services, tasks
from customers.models import CategoryRhythm, CustomerFacts, Purchase, ScoringConfig
from marketing.core.actor import Actor
from marketing.core.errors import Forbidden, ValidationFailed
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from tests.customers.at_noon import NOW, ago, facts_of, visits
from tests.factories.customers import (
    CustomerFactory,
    PurchaseFactory,
    PurchaseLineFactory,
    ServiceFactory,
    VisitFactory,
)

pytestmark = pytest.mark.usefixtures("noon")

TODAY = dt.date(2026, 6, 15)


def scores_of(customer):
    found = facts_of(customer)
    return found.rfm_recency, found.rfm_frequency, found.rfm_monetary, found.rfm_group


def change(chain, **values):
    return services.update_scoring(actor=Actor.for_staff(chain.owner), values=values)


@pytest.fixture
def asha(chain):
    return CustomerFactory(home_branch=chain.north)


def test_who_never_came_has_no_scores(asha, chain):
    PurchaseFactory(customer=asha, branch=chain.north)
    assert scores_of(asha) == (None, None, None, None)


@pytest.mark.parametrize(
    ("days", "score"),
    [(0, 5), (30, 5), (31, 4), (90, 4), (91, 3), (180, 3), (181, 2), (365, 2), (366, 1), (900, 1)],
)
def test_recency_in_calendar_days(asha, chain, days, score):
    # Late in the evening there: fewer days of 24 hours than of the calendar.
    VisitFactory(customer=asha, branch=chain.north, visited_at=ago(days) + dt.timedelta(hours=11))
    assert facts_of(asha).rfm_recency == score


@pytest.mark.parametrize(("times", "score"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (10, 5)])
def test_frequency_counts_the_visits_of_a_year(asha, chain, times, score):
    visits(asha, chain.north, *range(10, 10 + times), 366, 400)
    found = facts_of(asha)
    assert (found.visits_365_days, found.rfm_frequency) == (times, score)


@pytest.mark.parametrize(
    ("spent", "score"),
    [("1999.99", 1), ("2000", 2), ("5000", 3), ("10000", 4), ("24999.99", 4), ("25000", 5)],
)
def test_money_of_a_year(asha, chain, spent, score):
    visits(asha, chain.north, 10)
    PurchaseFactory(customer=asha, branch=chain.north, total=Decimal(spent), purchased_at=ago(9))
    PurchaseFactory(customer=asha, branch=chain.north, total=90_000, purchased_at=ago(366))
    assert facts_of(asha).rfm_monetary == score


def test_the_group_follows_from_the_scores(asha, chain):
    visits(asha, chain.north, *range(5, 55, 5))
    PurchaseFactory(customer=asha, branch=chain.north, total=12_000, purchased_at=ago(9))
    assert scores_of(asha) == (5, 5, 4, "champions")


def test_somebody_of_long_ago_is_lost(asha, chain):
    visits(asha, chain.north, 800)
    assert scores_of(asha) == (1, 1, 1, "lost")


def test_the_chains_own_limits(asha, chain):
    change(
        chain,
        recency_limits=[2, 3, 4, 5],
        frequency_limits=[1, 2, 3, 4],
        monetary_limits=[Decimal(1), Decimal(2), Decimal(3), Decimal(4)],
    )
    visits(asha, chain.north, 4)
    assert scores_of(asha) == (2, 2, 1, "hibernating")


def test_fifths_of_the_chains_own_customers(chain, noon):
    people = [CustomerFactory(home_branch=chain.north) for _ in range(10)]
    for number, each in enumerate(people):
        visits(each, chain.north, 10 + number)
        PurchaseFactory(
            customer=each, branch=chain.north, total=100 * (number + 1), purchased_at=ago(9)
        )
    facts.rebuild_all()
    change(chain, rfm_mode="quintile")
    tasks.age_facts(str(chain.tenant.pk))
    found = CustomerFacts.objects.order_by("-last_visit_at")
    assert [each.rfm_recency for each in found] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert [each.rfm_monetary for each in found] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert {each.rfm_frequency for each in found} == {1}, "equals score alike, and not high"


def test_fifths_move_once_a_day_and_only_what_uses_them_is_computed_again(asha, chain, noon):
    visits(asha, chain.north, 10)
    facts_of(asha)
    assert scoring.move_quintiles() is True
    config = ScoringConfig.objects.get()
    assert (config.version, config.recency_quintiles) == (1, [11] * 4)
    assert scoring.move_quintiles() is False, "it is still the same day"
    change(chain, rfm_mode="quintile")
    noon.move_to(NOW + dt.timedelta(days=1))
    assert scoring.move_quintiles() is True
    config.refresh_from_db()
    assert (config.version, config.recency_quintiles) == (3, [12] * 4)


def test_fifths_stay_when_nobody_comes(asha, chain, noon):
    visits(asha, chain.north, 10)
    facts_of(asha)
    scoring.move_quintiles()
    noon.move_to(NOW + dt.timedelta(days=400))
    assert scoring.move_quintiles() is False
    assert ScoringConfig.objects.get().recency_quintiles == [11] * 4


def test_the_chains_own_stages(asha, chain):
    change(chain, at_risk_days=10, churned_days=20)
    visits(asha, chain.north, 12)
    assert facts_of(asha).stage == "at_risk"
    change(chain, at_risk_days=5, churned_days=12)
    assert facts_of(asha).stage == "churned"
    visits(asha, chain.north, 0)
    assert facts_of(asha).stage == "reactivated"
    change(chain, churned_days=13)
    assert facts_of(asha).stage == "active"
    change(chain, active_visits=3)
    assert facts_of(asha).stage == "new"


def test_a_change_reaches_everybody_who_came(asha, chain):
    lost, never = CustomerFactory(), CustomerFactory()
    visits(asha, chain.north, 12)
    visits(lost, chain.north, 900)
    facts.rebuild_all()
    change(chain, at_risk_days=10)
    assert facts.age_facts() == 2
    assert CustomerFacts.objects.get(customer=asha).stage == "at_risk"
    assert facts.age_facts() == 0
    assert CustomerFacts.objects.get(customer=never).stage == "prospect"


def test_scores_age_with_the_day(asha, chain, noon):
    visits(asha, chain.north, 365)
    before = facts_of(asha)
    assert (before.stage, before.rfm_recency) == ("churned", 2)
    noon.move_to(NOW + dt.timedelta(days=1))
    assert facts.age_facts() == 1
    after = CustomerFacts.objects.get(customer=asha)
    assert (after.rfm_recency, after.visits_365_days) == (1, 0)
    noon.move_to(NOW + dt.timedelta(days=2))
    assert facts.age_facts() == 0, "nothing is left that could change"


def bill(customer, branch, days, *services_bought, hours=0):
    made = PurchaseFactory(customer=customer, branch=branch, purchased_at=ago(days, hours), lines=0)
    for service in services_bought:
        PurchaseLineFactory(purchase=made, service=service)
    return made


def rhythm_of(customer, service):
    facts_of(customer)
    return CategoryRhythm.objects.filter(customer=customer, category=service.category).first()


def test_the_rhythm_of_a_category_is_the_median_between_its_visits(asha, chain):
    hair, nails = ServiceFactory(), ServiceFactory()
    for days in (500, 130, 100, 70):
        bill(asha, chain.north, days, hair, hair)
    bill(asha, chain.north, 70, hair, hours=2)
    bill(asha, chain.north, 10, nails)
    found = rhythm_of(asha, hair)
    assert (found.visits, found.interval_days) == (4, 30), "370 days once do not count for much"
    assert (found.last_at, found.due_on) == (ago(70), TODAY - dt.timedelta(days=25))
    assert rhythm_of(asha, nails) is None


def test_two_visits_are_no_rhythm_yet(asha, chain):
    hair = ServiceFactory()
    bill(asha, chain.north, 60, hair)
    bill(asha, chain.north, 30, hair)
    bill(asha, chain.north, 30, hair, hours=2)
    assert rhythm_of(asha, hair) is None


def test_a_refunded_bill_leaves_the_rhythm(asha, chain):
    hair = ServiceFactory()
    bill(asha, chain.north, 90, hair)
    bill(asha, chain.north, 60, hair)
    third = bill(asha, chain.north, 30, hair)
    assert rhythm_of(asha, hair).visits == 3
    third.status = Purchase.Status.REFUNDED
    third.save()
    assert rhythm_of(asha, hair) is None


def test_how_late_is_overdue_is_the_chains_to_say(asha, chain):
    visits(asha, chain.north, 70, 50, 29)
    assert facts_of(asha).due_on == TODAY + dt.timedelta(days=-29 + 30), (
        "20.5 days, half as long again"
    )
    change(chain, overdue_factor=Decimal("2"))
    assert facts.age_facts() == 1
    assert CustomerFacts.objects.get(customer=asha).due_on == TODAY + dt.timedelta(days=-29 + 41)


@pytest.mark.parametrize(
    "values",
    [
        {"recency_limits": [31, 31, 181, 366]},
        {"recency_limits": [31, 91, 181]},
        {"frequency_limits": [0, 1, 2, 3]},
        {"monetary_limits": [Decimal(5), Decimal(4), Decimal(3), Decimal(2)]},
        {"churned_days": 90},
        {"new_days": 0},
        {"overdue_factor": Decimal("0.5")},
        {"rfm_mode": "astrology"},
    ],
)
def test_limits_that_make_no_sense_change_nothing(chain, values):
    scoring.ensure_scoring()
    with pytest.raises(ValidationFailed) as caught:
        change(chain, **values)
    assert set(caught.value.fields) == set(values)
    assert ScoringConfig.objects.get().version == 1
    assert not AuditEntry.objects.filter(action="scoring.update").exists()


def test_only_owners_change_the_limits(chain):
    with pytest.raises(Forbidden):
        services.update_scoring(actor=Actor.for_staff(chain.manager), values={"new_days": 5})
    assert not ScoringConfig.objects.exists()


def test_a_change_is_audited_and_what_is_none_is_not(chain):
    change(chain, new_days=30)
    assert not AuditEntry.objects.filter(action="scoring.update").exists()
    change(chain, new_days=45)
    assert AuditEntry.objects.get(action="scoring.update").changes == {"new_days": [30, 45]}


def test_another_chain_keeps_its_own(chain, other_chain):
    change(chain, new_days=45)
    with tenant_scope(other_chain.tenant.pk):
        assert scoring.ensure_scoring().new_days == 30
