"""What offers took off people's bills, in their facts."""

import datetime as dt
import uuid

import pytest

from customers import facts, facts_check
from customers.models import Customer, CustomerFacts, StaleFacts
from customers.services import merge_customers
from marketing.core import clock
from marketing.coupons import services
from marketing.coupons.models import Redemption
from marketing.segments.compiler import compile_rules
from tests.factories.coupons import make_offer, sell, system
from tests.factories.customers import CustomerFactory

NOW = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)


@pytest.fixture
def asha(chain, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    make_offer()
    return CustomerFactory(home_branch=chain.north)


def bill(chain, customer, rupees="1000.00", days=0):
    paid = sell(chain.north, rupees, customer=customer)
    at = NOW - dt.timedelta(days=days)
    Redemption.objects.filter(reservation=paid.reservation).update(redeemed_at=at)
    return paid


def of(customer):
    facts.refresh_stale_facts()
    found = CustomerFacts.objects.get(customer=customer)
    return found.discount_90_days, found.discount_365_days, found.last_offer_at


def test_discounts_count_for_their_days_without_what_was_given_back(chain, asha):
    bill(chain, asha, days=366)
    bill(chain, asha, days=91)
    bill(chain, asha, "200.00", days=90)
    bill(chain, CustomerFactory())
    assert of(asha) == (20, 120, NOW - dt.timedelta(days=90))
    paid = bill(chain, asha)
    assert of(asha) == (120, 220, NOW)
    services.reverse(
        actor=system(),
        branch_id=chain.north.pk,
        invoice_id=paid.reservation.invoice_id,
        operation="refund",
    )
    assert of(asha) == (20, 120, NOW - dt.timedelta(days=90))


def test_what_is_used_marks_her_alone(chain, asha):
    bill(chain, asha)
    StaleFacts.objects.all().delete()
    bill(chain, asha)
    sell(chain.north, "5.00")
    assert set(StaleFacts.objects.values_list("customer_id", flat=True)) == {asha.pk}


def test_discounts_age(chain, asha, monkeypatch):
    bill(chain, asha)
    assert of(asha)[:2] == (100, 100)
    CustomerFacts.objects.update(stage="prospect", rfm_recency=None, spend_365_days=0)
    CustomerFacts.objects.update(visits_365_days=0)
    later = NOW + dt.timedelta(days=91)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert facts.age_facts() == 1
    assert of(asha)[:2] == (0, 100)


def test_segments_find_them(chain, asha):
    bina = CustomerFactory(home_branch=chain.north)
    bill(chain, asha)
    of(asha)
    for field, op, value, found in (
        ("discount_90_days", "gte", "100", {asha}),
        ("discount_365_days", "eq", "0", {bina}),
        ("last_offer_days", "eq", 0, {asha}),
        ("last_offer_days", "not_set", None, {bina}),
    ):
        rule = {"field": field, "op": op, "value": value}
        tree = {"operator": "AND", "conditions": [rule]}
        q = compile_rules(tree, now=NOW, zone="Asia/Kolkata")
        assert set(Customer.objects.filter(q)) == found


def test_a_merge_unites_what_both_were_given(chain, asha):
    bina = CustomerFactory(home_branch=chain.north)
    bill(chain, asha)
    bill(chain, bina, "200.00", days=100)
    merge_customers(actor=chain.actor(chain.owner), keep=asha, other=bina, choices={})
    assert of(asha)[:2] == (100, 120)


def test_the_offers_she_used_are_copied_until_they_are_given_back(chain, asha):
    first, second = (bill(chain, asha) for _ in range(2))
    used = Redemption.objects.get(reservation=first.reservation).offer_id
    of(asha)
    assert CustomerFacts.objects.get(customer=asha).offers_used == [used]
    for paid, left in ((first, [used]), (second, None)):
        services.reverse(
            actor=system(),
            branch_id=chain.north.pk,
            invoice_id=paid.reservation.invoice_id,
            operation="refund",
        )
        of(asha)
        assert CustomerFacts.objects.get(customer=asha).offers_used == left


def test_the_check_knows_a_wrong_number(chain, asha):
    bill(chain, asha)
    of(asha)
    CustomerFacts.objects.update(discount_90_days=7)
    _last, found = facts_check.compare(uuid.UUID(int=0))
    assert dict(found.differences) == {"discount_90_days": 1}
