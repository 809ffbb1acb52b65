"""`manage.py rebuild_facts` proves that stored facts follow from the source rows, or mends them."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from customers import facts, facts_check, services
from customers.models import CategoryRhythm, CustomerFacts, StaleFacts
from marketing.core.actor import Actor
from marketing.core.tenancy import tenant_scope
from tests.customers.at_noon import NOW
from tests.factories.core import make_chain
from tests.factories.customers import (
    CustomerFactory,
    MembershipFactory,
    PackageFactory,
    PurchaseFactory,
    PurchaseLineFactory,
    ServiceFactory,
    VisitFactory,
)

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture
def salon(db):
    """Three customers with everything facts are made of, computed."""
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        people = [CustomerFactory(home_branch=chain.north) for _ in range(3)]
        menu = [ServiceFactory(), ServiceFactory()]
        for each in people:
            for days in (90, 40, 20):
                at = timezone.now() - dt.timedelta(days=days)
                VisitFactory(customer=each, branch=chain.north, visited_at=at)
                bill = PurchaseFactory(customer=each, branch=chain.north, purchased_at=at, lines=0)
                for service in menu:
                    PurchaseLineFactory(purchase=bill, service=service)
            MembershipFactory(customer=each)
            PackageFactory(customer=each)
        facts.rebuild_all()
    return chain, people


def run(*options):
    """The exit status and what was printed."""
    out = StringIO()
    try:
        call_command("rebuild_facts", *options, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_computed_facts_are_equal(salon):
    status, printed = run("--check")
    assert status == 0
    assert "3 customers compared, 0 differ, 0 wait" in printed


def test_the_clock_makes_no_difference(salon, noon):
    noon.move_to(NOW + dt.timedelta(days=200))
    assert run("--check")[0] == 0


def test_differences_are_told_by_column_and_left_until_asked(salon):
    chain, (first, second, _third) = salon
    with tenant_scope(chain.tenant.pk):
        CustomerFacts.objects.filter(customer=first).update(visit_count=99, rfm_group="lost")
        CustomerFacts.objects.filter(customer=second).update(visit_count=0)
        CategoryRhythm.objects.filter(customer=second).update(visits=7)
    status, printed = run("--check")
    assert status == 1
    assert "3 customers compared, 2 differ" in printed
    assert "visit_count: 2" in printed
    assert "rfm_group: 1" in printed
    assert "rhythm.visits: 2" in printed
    with tenant_scope(chain.tenant.pk):
        assert CustomerFacts.objects.get(customer=first).visit_count == 99
    assert run()[0] == 0
    with tenant_scope(chain.tenant.pk):
        assert set(CustomerFacts.objects.values_list("visit_count", flat=True)) == {3}
    assert run("--check")[0] == 0


def test_rows_that_are_missing_and_rows_that_are_too_many(salon):
    chain, (first, second, third) = salon
    with tenant_scope(chain.tenant.pk):
        CustomerFacts.objects.filter(customer=first).delete()
        CategoryRhythm.objects.filter(customer=second).delete()
        spare = CategoryRhythm.objects.filter(customer=third).first()
        VisitFactory(customer=third, branch=chain.north)
        CategoryRhythm.objects.create(
            customer=third,
            category_id=chain.tenant.pk,
            visits=1,
            last_at=spare.last_at,
            interval_days=30,
            due_on=spare.due_on,
        )
    status, printed = run("--check")
    assert (status, "3 differ" in printed) == (1, True)
    run()
    assert run("--check")[0] == 0


def test_whoever_waits_for_the_worker_is_left_out(salon):
    chain, (first, *_others) = salon
    with tenant_scope(chain.tenant.pk):
        VisitFactory(customer=first, branch=chain.north)
        StaleFacts.objects.create(customer_id=first.pk)
    status, printed = run("--check")
    assert status == 0
    assert "2 customers compared, 0 differ, 1 wait" in printed
    with tenant_scope(chain.tenant.pk):
        StaleFacts.objects.all().delete()
    assert run("--check")[0] == 1, "lost, this mark would have been missed"


def test_whoever_waits_for_new_limits_is_left_out(salon):
    chain, _people = salon
    with tenant_scope(chain.tenant.pk):
        owner = Actor.for_staff(chain.owner)
        services.update_scoring(actor=owner, values={"at_risk_days": 10})
    assert "0 customers compared, 0 differ, 3 wait" in run("--check")[1]
    with tenant_scope(chain.tenant.pk):
        assert facts.age_facts() == 3
    assert "3 customers compared, 0 differ" in run("--check")[1]


def test_everybody_is_compared_slice_by_slice(salon):
    chain, people = salon
    seen, after = [], facts.START
    with tenant_scope(chain.tenant.pk):
        while True:
            after, found = facts_check.compare(after, limit=2)
            if after is None:
                break
            seen.append(found.customers)
    assert seen == [2, 1]
    assert len(people) == 3


def test_a_rebuild_in_slices_reaches_everybody(salon):
    chain, people = salon
    with tenant_scope(chain.tenant.pk):
        CustomerFacts.objects.all().delete()
        CategoryRhythm.objects.all().delete()
        assert facts.rebuild_all(limit=2) == len(people)
    assert "3 customers compared, 0 differ, 0 wait" in run("--check")[1]
