"""Visits, bills, memberships, packages and events, each taken once however often reported."""

import datetime as dt
from decimal import Decimal

import pytest

from customers import facts, services
from customers.models import (
    CustomerEvent,
    CustomerFacts,
    Membership,
    Package,
    Purchase,
    StaleFacts,
    Visit,
)
from marketing.core.models import DomainEvent
from tests.factories.customers import CustomerFactory, ServiceFactory

AT = dt.datetime(2026, 5, 4, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
def asha(chain):
    return CustomerFactory(home_branch=chain.north)


@pytest.fixture
def bill(manager, asha, chain):
    service = ServiceFactory()

    def record(**changes):
        values = {
            "customer": asha,
            "branch": chain.north,
            "purchased_at": AT,
            "lines": [services.BillLine(service, Decimal("500.00"), Decimal("900.00"), 2)],
            "subtotal": Decimal("1000.00"),
            "discount": Decimal("100.00"),
            "tax": Decimal("162.00"),
            "total": Decimal("1062.00"),
        }
        return services.record_purchase(actor=manager, **values | changes)

    return record


def test_a_visit_is_recorded_once(manager, asha, chain):
    for _ in range(2):
        visit = services.record_visit(
            actor=manager, customer=asha, branch=chain.north, visited_at=AT, external_id="V-1"
        )
    assert Visit.objects.get() == visit
    assert DomainEvent.objects.filter(name="visit.completed").count() == 1
    assert StaleFacts.objects.count() == 1


def test_visits_without_a_number_are_all_different(manager, asha, chain):
    for _ in range(2):
        services.record_visit(actor=manager, customer=asha, branch=chain.north, visited_at=AT)
    assert Visit.objects.count() == 2


def test_a_bill_has_lines_a_visit_and_news(bill, asha, chain):
    purchase = bill(external_id="INV-1", invoice_number="2026/17")
    line = purchase.lines.get()
    assert (line.quantity, line.amount, line.category) == (2, 900, line.service.category)
    assert (purchase.visit.visited_at, purchase.visit.branch) == (AT, chain.north)
    event = DomainEvent.objects.get(name="invoice.finalized")
    assert event.payload["total"] == "1062.00"
    facts.refresh_stale_facts()
    found = CustomerFacts.objects.get(customer=asha)
    assert (found.visit_count, found.total_spend) == (1, Decimal("1062.00"))


def test_a_bill_is_recorded_once(bill):
    assert bill(external_id="INV-1") == bill(external_id="INV-1")
    assert Purchase.objects.count() == Visit.objects.count() == 1
    assert Purchase.objects.get().lines.count() == 1
    assert DomainEvent.objects.filter(name="invoice.finalized").count() == 1


@pytest.mark.parametrize(
    ("hours_later", "visits"), [(3, 1), (8.4, 1), (8.6, 2)], ids=["same", "late", "next day"]
)
def test_bills_of_a_day_at_a_branch_are_one_visit(bill, hours_later, visits):
    """It is 15:30 in India at first; the branch's day ends at midnight there."""
    bill()
    bill(purchased_at=AT + dt.timedelta(hours=hours_later))
    assert Visit.objects.count() == visits


def test_bills_at_two_branches_are_two_visits(bill, chain):
    bill()
    bill(branch=chain.south)
    assert Visit.objects.count() == 2


def test_memberships_and_packages_follow_the_selling_system(manager, asha):
    dates = {"starts_on": dt.date(2026, 1, 1), "expires_on": dt.date(2027, 1, 1)}
    common = {"actor": manager, "customer": asha, "external_id": "X-1"}
    for status in ("active", "cancelled"):
        services.record_membership(values={"plan": "Gold", "status": status} | dates, **common)
    for used in (1, 2):
        services.record_package(
            values={"name": "6 facials", "sessions_total": 6, "sessions_used": used} | dates,
            **common,
        )
    assert Membership.objects.get().status == "cancelled"
    assert Package.objects.get().sessions_used == 2
    assert StaleFacts.objects.count() == 4


def happening(customer, id_, **properties):
    return services.ReportedEvent(id_, "quote.sent", customer.pk, AT, properties)


def test_events_are_taken_once_each(manager, asha):
    first = [happening(asha, "1", price=Decimal("9.50")), happening(asha, "2", note="₹ ✂")]
    assert services.record_events(actor=manager, events=first) == 2
    again = [*first, happening(asha, "3"), happening(asha, "3")]
    assert services.record_events(actor=manager, events=again) == 1
    events = CustomerEvent.objects.order_by("id")
    assert [event.properties for event in events] == [{"price": "9.50"}, {"note": "₹ ✂"}, {}]
    assert {event.occurred_at for event in events} == {AT}
    assert services.record_events(actor=manager, events=[]) == 0


def test_nul_characters_are_left_out_of_events(manager, asha):
    text = "a\0b\\u0000c\\\0"
    services.record_events(actor=manager, events=[happening(asha, "1", text=text)])
    assert CustomerEvent.objects.get().properties == {"text": "ab\\u0000c\\"}


def test_a_thousand_events_are_one_statement(manager, asha, django_assert_num_queries):
    events = [happening(asha, str(n)) for n in range(1000)]
    with django_assert_num_queries(4):  # the lock of whom they are of, and a savepoint around it
        assert services.record_events(actor=manager, events=events) == 1000
