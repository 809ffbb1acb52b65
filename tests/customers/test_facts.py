"""Facts follow from visits, bills, memberships and packages, and age by the clock."""

import datetime as dt
from decimal import Decimal

import pytest

from customers import facts, tasks
from customers.models import Customer, CustomerFacts, Purchase, StaleFacts
from marketing.core.tenancy import tenant_scope
from tests.customers.at_noon import NOW, ago, facts_of, visits
from tests.factories.core import make_chain
from tests.factories.customers import (
    CustomerFactory,
    MembershipFactory,
    PackageFactory,
    PurchaseFactory,
    PurchaseLineFactory,
    ServiceFactory,
)

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture
def asha(chain):
    return CustomerFactory(home_branch=chain.north)


def test_somebody_who_never_came(asha):
    found = facts_of(asha)
    assert (found.visit_count, found.last_visit_at, found.total_spend) == (0, None, 0)
    assert (found.average_ticket, found.visit_interval_days) == (None, None)
    assert (found.stage, found.membership_status) == ("prospect", "none")
    assert found.computed_at == NOW


def test_visits_and_their_rhythm(asha, chain):
    visits(asha, chain.north, 90, 30)
    visits(asha, chain.south, 10, 10)
    found = facts_of(asha)
    assert found.visit_count == 4
    assert (found.first_visit_at, found.last_visit_at) == (ago(90), ago(10))
    assert found.visit_interval_days == 40, "the median of 60 and 20, of one day once"
    assert found.favourite_branch == chain.south, "of two as frequent the latest"


def test_spend_counts_paid_bills_in_their_windows(asha, chain):
    for days, total in ((10, "100.10"), (89, "200.00"), (91, "400.00"), (400, "1000.00")):
        PurchaseFactory(
            customer=asha, branch=chain.north, total=Decimal(total), purchased_at=ago(days)
        )
    for status in (Purchase.Status.REFUNDED, Purchase.Status.VOID):
        PurchaseFactory(customer=asha, branch=chain.north, status=status)
    found = facts_of(asha)
    assert found.total_spend == Decimal("1700.10")
    assert found.spend_90_days == Decimal("300.10")
    assert found.spend_365_days == Decimal("700.10")
    assert found.average_ticket == Decimal("425.03"), "half up"


def test_favourites_are_the_most_bought(asha, chain):
    haircut, colour = ServiceFactory(), ServiceFactory()
    bill = PurchaseFactory(customer=asha, branch=chain.north, lines=0)
    PurchaseLineFactory(purchase=bill, service=haircut, quantity=3, staff=chain.receptionist)
    PurchaseLineFactory(purchase=bill, service=colour, quantity=1, staff=chain.manager)
    PurchaseLineFactory(purchase=bill, service=colour, quantity=1, staff=None)
    found = facts_of(asha)
    assert (found.favourite_service, found.favourite_staff) == (haircut, chain.receptionist)


TODAY = dt.date(2026, 6, 15)


@pytest.mark.parametrize(
    ("status", "starts", "expires", "expected"),
    [
        ("active", -10, 0, "active"),
        ("active", -10, -1, "expired"),
        ("expired", -10, 10, "expired"),
        ("cancelled", -10, 10, "cancelled"),
        ("active", 1, 10, "none"),
    ],
)
def test_membership(asha, status, starts, expires, expected):
    MembershipFactory(
        customer=asha,
        status=status,
        starts_on=TODAY + dt.timedelta(days=starts),
        expires_on=TODAY + dt.timedelta(days=expires),
    )
    found = facts_of(asha)
    assert found.membership_status == expected
    assert found.has_active_membership is (expected == "active")


def test_an_active_membership_outweighs_a_later_cancelled_one(asha):
    MembershipFactory(customer=asha, expires_on=TODAY + dt.timedelta(days=5))
    MembershipFactory(customer=asha, status="cancelled", expires_on=TODAY + dt.timedelta(days=500))
    found = facts_of(asha)
    assert found.membership_status == "active"
    assert found.membership_expires_on == TODAY + dt.timedelta(days=5)


def test_packages(asha):
    day = dt.timedelta(days=1)
    PackageFactory(customer=asha, sessions_total=6, sessions_used=2, expires_on=TODAY + 9 * day)
    PackageFactory(customer=asha, sessions_total=3, sessions_used=2, expires_on=TODAY)
    PackageFactory(customer=asha, sessions_total=3, sessions_used=3)
    PackageFactory(customer=asha, is_cancelled=True)
    PackageFactory(customer=asha, expires_on=TODAY - day)
    found = facts_of(asha)
    assert (found.has_active_package, found.package_sessions_left) == (True, 5)
    assert found.package_expires_on == TODAY


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        ([5], "new"),
        ([29], "new"),
        ([45], "active"),
        ([80, 20], "active"),
        ([150, 120, 100, 95, 20], "engaged"),
        ([100], "at_risk"),
        ([150, 140, 130, 120, 91], "at_risk"),
        ([180], "churned"),
        ([400, 200], "churned"),
        ([300, 60], "reactivated"),
        ([300, 60, 20], "reactivated"),
        ([400, 200, 100], "at_risk"),
    ],
)
def test_life_cycle_stages(asha, chain, days, stage):
    visits(asha, chain.north, *days)
    assert facts_of(asha).stage == stage


def test_today_is_the_home_branchs(asha, chain, noon):
    chain.north.time_zone = "Pacific/Auckland"
    chain.north.save()
    MembershipFactory(customer=asha, expires_on=TODAY)
    noon.move_to(dt.datetime(2026, 6, 15, 13, 0, tzinfo=dt.UTC))
    assert facts_of(asha).membership_status == "expired", "it is the 16th there"


def test_only_marked_customers_are_computed_and_marks_are_taken(asha, chain):
    other = CustomerFactory()
    visits(asha, chain.north, 1)
    visits(other, chain.north, 1)
    facts.mark_stale([asha.pk, asha.pk])
    assert facts.refresh_stale_facts() == 2
    assert CustomerFacts.objects.get(customer=asha).visit_count == 1
    assert CustomerFacts.objects.get(customer=other).visit_count == 0
    assert not StaleFacts.objects.exists()
    assert facts.refresh_stale_facts() == 0


def test_marks_can_come_from_a_query_and_are_taken_in_parts(chain):
    for _ in range(3):
        visits(CustomerFactory(), chain.north, 1)
    facts.mark_stale(Customer.objects.order_by("first_name"))
    assert facts.refresh_stale_facts(limit=2) == 2
    assert CustomerFacts.objects.filter(visit_count=1).count() == 2
    assert facts.refresh_stale_facts(limit=2) == 1


def test_a_customer_without_facts_gets_them(chain):
    bare = Customer.objects.create(first_name="Asha")
    visits(bare, chain.north, 1)
    assert facts_of(bare).visit_count == 1


def test_marks_of_customers_that_are_gone_do_no_harm(chain):
    facts.mark_stale([chain.tenant.pk])
    assert facts.refresh_stale_facts() == 1


def test_rebuild_computes_everybody_of_the_tenant(asha, chain, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = CustomerFactory()
        visits(theirs, other_chain.north, 1)
    bare = Customer.objects.create(first_name="Without facts")
    visits(asha, chain.north, 1)
    visits(bare, chain.north, 1, 2)
    assert facts.rebuild_all() == 2
    counts = dict(CustomerFacts.objects.values_list("customer_id", "visit_count"))
    assert counts == {asha.pk: 1, bare.pk: 2}
    with tenant_scope(other_chain.tenant.pk):
        assert CustomerFacts.objects.get(customer=theirs).visit_count == 0


def test_windows_stages_and_expiry_move_with_the_day(asha, chain, noon):
    visits(asha, chain.north, 89)
    PurchaseFactory(customer=asha, branch=chain.north, purchased_at=ago(89))
    MembershipFactory(customer=asha, expires_on=TODAY)
    before = facts_of(asha)
    assert (before.stage, before.spend_90_days) == ("active", 1000)
    assert facts.age_facts() == 0, "it is still the same day"
    noon.move_to(NOW + dt.timedelta(days=2))
    assert facts.age_facts() == 1
    after = CustomerFacts.objects.get(customer=asha)
    assert (after.stage, after.spend_90_days) == ("at_risk", 0)
    assert after.membership_status == "expired"
    assert facts.age_facts() == 0, "once a day"


def test_the_day_begins_in_the_branchs_time_zone(asha, chain, noon):
    visits(asha, chain.north, 1)
    facts_of(asha)
    noon.move_to(dt.datetime(2026, 6, 15, 18, 29, tzinfo=dt.UTC))
    assert facts.age_facts() == 0
    noon.move_to(dt.datetime(2026, 6, 15, 18, 31, tzinfo=dt.UTC))
    assert facts.age_facts() == 1


def test_people_the_clock_cannot_change_are_left_alone(asha, chain, noon):
    churned = CustomerFactory(home_branch=chain.north)
    visits(churned, chain.north, 500)
    facts.rebuild_all()
    noon.move_to(NOW + dt.timedelta(days=1))
    assert facts.age_facts() == 0


def test_a_membership_that_begins_later_is_seen_on_its_day(asha, noon):
    MembershipFactory(customer=asha, starts_on=TODAY + dt.timedelta(days=1))
    assert facts_of(asha).membership_status == "none"
    noon.move_to(NOW + dt.timedelta(days=1))
    assert facts.age_facts() == 1
    assert CustomerFacts.objects.get(customer=asha).membership_status == "active"


def test_the_tasks_sweep_every_tenant(db, noon):
    people = []
    for made in (make_chain(), make_chain()):
        with tenant_scope(made.tenant.pk):
            asha = CustomerFactory(home_branch=made.north)
            visits(asha, made.north, 1)
            facts.mark_stale([asha.pk])
            people.append((made.tenant.pk, asha.pk))
    tasks.refresh_stale_facts()
    assert [_facts(*who).visit_count for who in people] == [1, 1]
    noon.move_to(NOW + dt.timedelta(days=40))
    tasks.age_facts()
    assert [_facts(*who).stage for who in people] == ["active", "active"]


def _facts(tenant_id, customer_id):
    with tenant_scope(tenant_id):
        return CustomerFacts.objects.get(customer_id=customer_id)
