"""Counting in the facts alone, and by the rows of whoever changed since they were computed."""

import pytest
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q
from django.test.utils import CaptureQueriesContext

from bench.preview import RULES, group, where
from customers import facts
from customers.models import Customer, Visit
from customers.services import erase_customer, merge_customers, record_consent, update_customer
from marketing.core import clock
from marketing.core.tenancy import tenant_scope
from marketing.segments import counting, selectors
from marketing.segments.compiler import compile_rules
from marketing.segments.counting import Counting
from marketing.segments.negation import does_not_hold
from tests.factories.coupons import make_offer, sell
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import earn, make_programme, make_tiers, spend
from tests.segments.plain_days_and_places import NOW


@pytest.fixture
def asha(chain):
    return CustomerFactory(home_branch=chain.north, tags=["vip"], facts={"visit_count": 3})


def asked(q, branch_ids=None):
    """The number, and the statements that counted."""
    with CaptureQueriesContext(connection) as queries:
        count = Counting(branch_ids).count(q)
    return count, [each["sql"] for each in queries if "COUNT(" in each["sql"]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_rules_that_are_measured_are_answered_by_the_facts(chain, asha, rule):
    with CaptureQueriesContext(connection) as queries:
        selectors.preview(chain.actor(chain.owner), rule.tree, None, now=NOW)
    (counting_,) = [each["sql"] for each in queries if "COUNT(*) AS" in each["sql"]]
    assert "customers_customerfacts" in counting_
    assert "customers_consentstate" not in counting_
    assert 'FROM "customers_customer"' not in counting_


@pytest.mark.parametrize(
    "q",
    [
        Q(facts__visit_count__gte=3),
        Q(consent__sms_promotional=True, tags__contains=["vip"]),
        ~Q(gender="male") & does_not_hold(Q(consent__is_dnd=True) | Q(birth_date__month=2)),
        Q(home_branch__time_zone="Asia/Kolkata", created_at__gt=NOW.replace(year=2020)),
    ],
    ids=str,
)
def test_what_is_copied_is_asked_of_the_copies(chain, asha, q):
    CustomerFactory(facts={"visit_count": 1}, tags=[], consent={"sms_promotional": False})
    assert asked(q)[0] == Customer.objects.filter(q).count() > 0
    assert 'JOIN "customers_' not in asked(q)[1][0]


@pytest.mark.parametrize(
    "q",
    [
        Q(phone__startswith="+91"),
        Q(consent__sms_basis="explicit"),
        Q(attributes__has_key="skin") | Q(facts__visit_count=3),
        Q(facts__visit_count__gte=F("version")),
    ],
    ids=str,
)
def test_what_is_not_copied_is_asked_of_the_rows(chain, asha, q):
    count, (statement,) = asked(q)
    assert count == 1
    assert 'FROM "customers_customer"' in statement


def test_ids_that_are_looked_for_by_themselves_stand_alone(chain, asha):
    tagged = Customer.objects.filter(tags__contains=["vip"])
    count, (statement,) = asked(Q(pk__in=tagged.values("pk")))
    assert count == 1
    assert 'FROM "customers_customerfacts"' in statement


def test_what_looks_at_each_person_is_asked_of_the_rows(chain, asha):
    came = Q(Exists(Visit.objects.filter(customer_id=OuterRef("pk"))))
    for q in (~came, does_not_hold(came)):
        count, (statement,) = asked(q)
        assert count == 1
        assert 'FROM "customers_customer"' in statement


def test_a_change_counts_at_once(chain, asha):
    actor = chain.actor(chain.owner)

    def told():
        """Before and after the facts were computed."""
        tagged = Q(tags__contains=["vip"])
        numbers = [asked(tagged)[0], asked(Q(consent__is_dnd=True))[0], asked(tagged, [])[0]]
        at_north = asked(Q(consent__whatsapp_service=True), [chain.north.pk])[0]
        return [*numbers, at_north]

    def settled():
        before = told()
        assert facts.refresh_stale_facts()
        assert told() == before
        return before

    assert told() == [1, 0, 0, 1]
    update_customer(actor=actor, customer=asha, values={"tags": ["new"]})
    assert settled() == [0, 0, 0, 1]
    record_consent(actor=actor, customer=asha, changes={"is_dnd": True}, source="staff")
    assert settled() == [0, 1, 0, 1]
    update_customer(actor=actor, customer=asha, values={"home_branch": chain.south})
    assert settled() == [0, 1, 0, 0]
    double = CustomerFactory(tags=["vip"], home_branch=chain.south)
    merge_customers(actor=actor, keep=asha, other=double, choices={})
    assert settled() == [1, 1, 0, 0]
    erase_customer(actor=actor, customer=asha)
    assert settled() == [0, 0, 0, 0]


POINTS_AND_OFFERS = [
    ("points_balance", "gte", 50),
    ("points_balance", "not_set", None),
    ("loyalty_tier", "is_set", None),
    ("points_expire_days", "lte", 400),
    ("offers_used", "not_set", None),
]


def test_points_and_offers_are_counted_by_their_copies_and_at_once(chain):
    """Marked or not, the number is that of the rows."""
    make_offer()
    make_programme(expiry_months=6)
    make_tiers(("Silver", 0, 10_000))
    asha, bina = CustomerFactory(), CustomerFactory()

    def told():
        numbers = []
        for field, op, value in POINTS_AND_OFFERS:
            rule = group("AND", where(field, op, value))
            q = compile_rules(rule, now=clock.now(), zone="Asia/Kolkata")
            count, (statement, *_more) = asked(q)
            assert 'FROM "customers_customerfacts"' in statement
            assert "loyalty_" not in statement
            assert "coupons_" not in statement
            assert count == Customer.objects.filter(q).count()
            numbers.append(count)
        return numbers

    def settled():
        before = told()
        while facts.refresh_stale_facts():
            pass
        assert told() == before
        return before

    assert settled() == [0, 2, 0, 0, 2]
    earn(asha, 100)
    assert settled() == [1, 1, 1, 1, 2]
    spend(asha, 60)
    assert settled() == [0, 1, 1, 1, 2]
    sell(chain.north, "1000.00", customer=bina)
    assert settled() == [1, 0, 2, 2, 1]


def test_nobody_is_counted_twice_however_often_marked(chain, asha):
    for _ in range(3):
        facts.mark_stale([asha.pk])
    assert asked(Q(facts__visit_count=3))[0] == 1


def test_with_very_many_marks_the_rows_are_asked(chain, asha, monkeypatch):
    monkeypatch.setattr(counting, "MOST_MARKED", 1)
    for each in (asha, CustomerFactory()):
        facts.mark_stale([each.pk])
    count, (statement,) = asked(Q(facts__visit_count=3))
    assert count == 1
    assert 'FROM "customers_customer"' in statement


def test_another_chains_people_and_marks_are_none_of_ours(chain, asha, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = [CustomerFactory(facts={"visit_count": 3}) for _ in range(2)]
        facts.mark_stale([theirs[0].pk])
    assert asked(Q(facts__visit_count=3))[0] == 1
