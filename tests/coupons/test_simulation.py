"""What an offer would have cost: held against sums made by hand."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from customers.models import Purchase, PurchaseLine
from marketing.core import clock
from marketing.coupons import selectors
from marketing.coupons.selectors.past_bills import past_bills
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory, PurchaseFactory, ServiceFactory
from tests.factories.segments import StaticSegmentFactory
from tests.page_queries import questions


def days_ago(chain, days):
    """The branch's day then: of an Indian evening it is not the server's."""
    moment = clock.now() - dt.timedelta(days=days)
    return moment.astimezone(ZoneInfo(chain.north.time_zone)).date()


@pytest.fixture
def bill(chain):
    """`bill(branch, *prices)` is a bill of one unit each, so many `days` ago."""
    service = ServiceFactory()
    people = CustomerFactory.create_batch(3)

    def make(branch, *prices, days=1, whose=0, status="finalised", amounts=()):
        made = Purchase.objects.create(
            customer=people[whose],
            branch=branch,
            subtotal=sum(map(Decimal, prices)),
            total=sum(map(Decimal, amounts or prices)),
            status=status,
            purchased_at=clock.now() - dt.timedelta(days=days),
        )
        PurchaseLine.objects.bulk_create(
            PurchaseLine(
                purchase=made,
                service=service,
                category=service.category,
                unit_price=Decimal(price),
                amount=Decimal(amount),
            )
            for price, amount in zip(prices, amounts or prices, strict=True)
        )
        return made

    make.service, make.people = service, people
    return make


def simulated(chain, staff="owner", most=3_000, **body):
    terms = selectors.terms_of(make_offer(**body))
    return selectors.simulate(chain.actor(getattr(chain, staff)), terms, clock.now(), most=most)


def test_cost_is_the_sum_over_bills(chain, bill):
    dear = bill(chain.north, "1000.00", "333.33")
    bill(chain.south, "499.99", days=80)
    bill(chain.north, "200.00", days=91)
    bill(chain.north, "300.00", status="void")
    cost = simulated(chain, minOrderAmount="450")
    # Half up, once a bill.
    assert cost.discount == Decimal("133.33") + Decimal("50.00")
    assert (cost.bills, cost.looked_at, cost.touched) == (2, 2, 2)
    assert cost.turnover == Decimal("1833.32")
    assert cost.dearest.bill.id == dear.pk
    assert {row.branch.name: row.discount for row in cost.branches} == {
        "North": Decimal("133.33"),
        "South": Decimal("50.00"),
    }
    assert not cost.is_sampled


def test_days_on_which_the_offer_holds_do_not_matter_but_hours_do(chain, bill):
    bill(chain.north, "100.00")
    later = {"validFrom": "2099-01-01", "validUntil": "2099-01-09", "isActive": False}
    cost = simulated(chain, **later)
    assert cost.discount == 10
    assert cost.as_long_as_it_lasts == Decimal(10) * 9 / 90
    for ago, touched in ((1, 1), (3, 0)):
        day = days_ago(chain, ago).strftime("%A").lower()
        hours = [{"from": "00:00", "until": "24:00", "weekdays": [day]}]
        assert simulated(chain, hours=hours).touched == touched


def test_limits_and_budget_end_it(chain, bill):
    for days in (5, 4, 3, 2):
        bill(chain.north, "100.00", days=days)
    cost = simulated(chain, maxTotalUses=3)
    assert (cost.touched, cost.discount) == (3, 30)
    assert cost.used_up_on == days_ago(chain, 3)
    assert simulated(chain, budget="25").discount == 20
    assert simulated(chain, budget="25", budgetPolicy="partial").discount == 25
    assert simulated(chain, maxUsesPerCustomer=1).touched == 1


def test_customers_are_asked_for_visits_and_segments(chain, bill):
    bill(chain.north, "100.00", days=3)
    bill(chain.north, "100.00", days=2)
    bill(chain.north, "100.00", days=1, whose=1)
    assert simulated(chain, nthVisit=1).touched == 2
    assert simulated(chain, nthVisit=2).touched == 1
    segment = StaticSegmentFactory(members=[bill.people[1]])
    assert simulated(chain, segmentIds=[str(segment.pk)]).touched == 1
    assert simulated(chain, excludedSegmentIds=[str(segment.pk)]).touched == 2


def test_what_was_reduced_by_hand_is_seen(chain, bill):
    bill(chain.north, "100.00", "100.00", amounts=("80.00", "100.00"))
    assert simulated(chain).discount == 18
    assert simulated(chain, skipDiscounted=True).discount == 10


def test_code_counts_as_if_everybody_had_it(chain, bill):
    bill(chain.north, "100.00")
    assert simulated(chain, code="TENTH").discount == 10


def test_a_sample_stands_for_all(chain, bill):
    for _ in range(8):
        bill(chain.north, "100.00")
    cost = simulated(chain, most=4)
    assert (cost.bills, cost.looked_at, cost.touched, cost.discount) == (8, 4, 8, 80)
    assert cost.is_sampled
    assert simulated(chain, most=4, maxTotalUses=4).touched == 4


def test_a_manager_sees_the_bills_of_her_branches(chain, bill):
    bill(chain.north, "100.00")
    bill(chain.south, "900.00")
    assert simulated(chain, "manager").discount == 10
    assert simulated(chain, "regional").discount == 100


def test_no_bills_no_cost(chain):
    cost = simulated(chain)
    assert (cost.bills, cost.discount, cost.share, cost.dearest) == (0, 0, 0, None)


def test_statements_do_not_grow_with_bills(chain, bill, django_assert_num_queries):
    for expected in (3, 3):
        for _ in range(4):
            bill(chain.north, "100.00")
        with django_assert_num_queries(expected):
            past_bills(clock.now(), None)


def test_page_shows_it_for_unsaved_and_saved_offers(chain, bill, login):
    bill(chain.north, "100.00", "300.00")
    client = login("manager")
    form = {"kind": "percentage", "name": "", "value": "10", "opening": "automatic"}
    for headers in ({"HX-Request": "true"}, {}):
        answer = client.post("/offers/cost", form, headers=headers)
        assert answer.context["cost"].discount == 40
    shown = client.post("/offers/new", form | {"action": "cost"})
    assert shown.context["cost"].discount == 40
    assert "First say" in client.post("/offers/cost", form | {"value": ""}).content.decode()
    offer = make_offer()
    for headers in ({"HX-Request": "true"}, {}):
        page = client.get(f"/offers/{offer.pk}/cost", headers=headers)
        assert page.context["cost"].discount == 40
    asked, _parts = questions(client, f"/offers/{offer.pk}/cost")
    assert len(asked) <= 12
    assert login("receptionist").get(f"/offers/{offer.pk}/cost").status_code == 403


def test_usual_services_are_those_on_the_latest_bills(chain):
    rare, often = ServiceFactory.create_batch(2)
    she = CustomerFactory(facts={"last_visit_at": clock.now()})
    for service, times in ((rare, 1), (often, 3)):
        for _ in range(times):
            bought = PurchaseFactory(customer=she, branch=chain.north, lines=0)
            PurchaseLine.objects.create(
                purchase=bought, service=service, category=service.category,
                unit_price=Decimal(1), amount=Decimal(1),
            )  # fmt: skip
    assert selectors.usual_services() == [often, rare]
    assert selectors.usual_services()[0] == often
