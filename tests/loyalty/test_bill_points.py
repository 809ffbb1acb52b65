"""Points on a bill, through the counter's services: what may be used, what is earned, what comes
back."""

import datetime as dt
import uuid

import pytest

from customers.services import merge_customers
from marketing.core import clock
from marketing.coupons import quote_effects
from marketing.coupons import selectors as prices
from marketing.coupons import services as counter
from marketing.coupons.quote_effects import Held
from marketing.loyalty import selectors, services
from marketing.loyalty.bill_points import PointsEffect
from marketing.loyalty.models import EarnRate, PointsHold, PointsTransaction
from tests.factories.coupons import make_cart, make_offer, system
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.factories.loyalty import earn, hold, make_programme, make_tiers


@pytest.fixture
def asha(chain):
    make_programme()
    return CustomerFactory()


def keep(chain, customer, *lines, use=None):
    """The bill of the till's one key, reserved."""
    return counter.reserve(
        actor=system(),
        branch_id=chain.north.pk,
        customer_id=customer.pk,
        cart=make_cart(*lines),
        key="bill",
        asked={"points": {"use": use}} if use else {},
    )


def price(chain, customer, *lines, use=None):
    return prices.price_bill(
        branch_id=chain.north.pk,
        customer_id=customer and customer.pk,
        cart=make_cart(*lines),
        asked={"points": {"use": use}} if use else {},
    )


def pay(chain, customer, *lines, use=None, invoice="1"):
    return counter.redeem_bill(
        actor=system(),
        branch_id=chain.north.pk,
        customer_id=customer.pk,
        cart=make_cart(*lines),
        invoice_id=invoice,
        asked={"points": {"use": use}} if use else {},
    ).reservation


def give_back(chain, lines=None, operation="refund", invoice="1"):
    return counter.reverse(
        actor=system(),
        branch_id=chain.north.pk,
        invoice_id=invoice,
        operation=operation,
        lines=lines,
    )


def points(customer):
    return selectors.balance(customer.pk).points


@pytest.mark.parametrize(
    ("settings", "use", "used", "reason"),
    [
        ({}, 60, 60, None),
        ({}, "max", 100, None),
        ({}, 300, 100, "not_enough"),
        ({"max_redeem_points": 40}, 60, 40, "above_most"),
        ({"max_redeem_percent": 25}, "max", 50, None),
        ({"max_redeem_percent": 25}, 60, 50, "above_most"),
        ({"min_redeem_points": 80}, 60, 0, "below_least"),
        ({"min_redeem_points": 120}, "max", 0, "not_enough"),
        ({"point_value_paise": 300}, "max", 66, None),
        ({"points_as": "discount"}, 60, 60, None),
    ],
)
def test_what_she_may_use(chain, asha, settings, use, used, reason):
    earn(asha, 100)
    make_programme(**settings)
    priced = price(chain, asha, "200.00", use=use)
    told = priced.told["points"]
    assert (told["used"], told["reason"]) == (used, reason)
    if use == "max":
        assert told["mostUsable"] == used
    worth = used * settings.get("point_value_paise", 100)
    quote = priced.quote
    assert (quote.points if settings.get("points_as") else quote.tender) == worth
    assert quote.payable == 20000 - worth


def test_points_of_who_stands_for_her_are_told(chain, asha):
    make_programme()
    usha = CustomerFactory()
    earn(asha, 100)
    merge_customers(actor=system(), keep=asha, other=usha, choices={})
    told = price(chain, usha, "200.00", use="max").told["points"]
    assert (told["balance"], told["used"]) == (100, 100)


def test_nothing_is_said_while_the_programme_is_off(chain, asha):
    make_programme(is_enabled=False)
    assert price(chain, asha, "200.00").told == {}
    assert price(chain, asha, use=5).told["points"]["reason"] == "programme_off"
    assert price(chain, None, use=5).told["points"]["reason"] == "customer_required"
    assert pay(chain, asha, "200.00").effects == {}
    assert give_back(chain).effects == {}


def test_a_quote_reads_points_in_one_statement(chain, asha, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(quote_effects, "_effects", {"points": PointsEffect()})
    price(chain, None, "200.00")
    with django_assert_num_queries(1):
        price(chain, None, "200.00")
    price(chain, asha, "200.00")
    with django_assert_num_queries(2):
        price(chain, asha, "200.00", use=5)


def test_earned_without_tax_and_without_what_points_paid(chain, asha):
    earn(asha, 59)
    reservation = pay(chain, asha, {"unitPrice": "118.00", "taxRate": "18"}, "100.00", use=59)
    # 59 of 218 rupees are points: of each line the same share earns nothing.
    told = reservation.effects["points"]["told"]
    assert told == {"used": 59, "earned": 145}
    assert points(asha) == 145


def test_points_as_a_discount_lower_the_tax(chain, asha):
    earn(asha, 18)
    make_programme(points_as="discount")
    quote = price(chain, asha, {"unitPrice": "118.00", "taxRate": "18"}, use=18).quote
    assert (quote.points, quote.tender, quote.total) == (1800, 0, 10000)
    assert quote.tax == 1525


def test_her_own_hold_counts_as_free_when_the_bill_changes(chain, asha):
    earn(asha, 100)
    for total in ("200.00", "40.00", "200.00"):
        reserved = keep(chain, asha, total, use="max")
    assert reserved.told["points"]["used"] == 100
    assert selectors.balance(asha.pk).held == 100
    assert PointsHold.objects.filter(state="held").count() == 1
    counter.renew(actor=system(), reservation_id=reserved.reservation.pk)
    counter.release(actor=system(), reservation_id=reserved.reservation.pk)
    assert (points(asha), selectors.balance(asha.pk).held) == (100, 0)


@pytest.mark.parametrize("again", [60, 40])
def test_points_left_off_and_taken_again_are_held(chain, asha, again):
    earn(asha, 100)
    for use in (60, None, again):
        keep(chain, asha, "200.00", use=use)
        assert selectors.balance(asha.pk).held == (use or 0)


def test_what_another_held_under_the_key_is_not_hers(chain, asha):
    bela = CustomerFactory()
    earn(asha, 100)
    earn(bela, 30)
    keep(chain, asha, "200.00", use=60)
    assert keep(chain, bela, "200.00", use="max").told["points"]["used"] == 30
    assert (points(asha), selectors.balance(bela.pk).held) == (100, 30)


def test_a_hold_given_back_before_its_reservation_counts_once(chain, asha, monkeypatch):
    earn(asha, 100)
    keep(chain, asha, "200.00", use=60)
    later = clock.now() + dt.timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert services.void_overdue_holds() == 1
    assert keep(chain, asha, "200.00", use="max").told["points"]["used"] == 100


def test_points_that_ran_out_and_nobody_gave_back_are_used(chain, asha, monkeypatch):
    earn(asha, 100)
    reserved = keep(chain, asha, "200.00", use=100).reservation
    later = clock.now() + dt.timedelta(minutes=10, seconds=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    done = counter.redeem(actor=system(), reservation_id=reserved.pk, invoice_id="1")
    assert done.reservation.effects["points"]["told"] == {"used": 100, "earned": 100}
    assert (points(asha), selectors.balance(asha.pk).held) == (100, 0)
    assert services.void_overdue_holds() == 0


def test_many_are_released_in_the_order_of_their_accounts(chain, asha, monkeypatch):
    last, first = CustomerFactory(), asha
    held = []
    for customer in (last, first):
        earn(customer, 10)
        kept = {"hold": str(hold(customer, 10).pk)}
        held.append(
            Held(
                reservation_id=uuid.uuid4(),
                branch_id=chain.north.pk,
                customer_id=customer.pk,
                kept=kept,
            )
        )
    whose = []
    void = services.void_hold
    monkeypatch.setattr(
        services, "void_hold", lambda **said: whose.append(said["hold"].customer_id) or void(**said)
    )
    PointsEffect().release(held)
    assert whose == [first.pk, last.pk]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_parts_come_back_as_the_whole(chain, asha, order):
    earn(asha, 50)
    make_offer(discountType="flat", discountValue="10")
    lines = ["33.33", {"unitPrice": "20.00", "quantity": 3}, "0.50"]
    pay(chain, asha, *lines, use=50)
    for line in order:
        for unit in range({2: 3}.get(line, 1)):
            give_back(chain, {line: 1}, f"{line} {unit}")
    assert points(asha) == 50
    kinds = PointsTransaction.objects.filter(kind__in=["reverse_earn", "reverse_spend"])
    assert sum(kinds.filter(kind="reverse_spend").values_list("points", flat=True)) == 50


def test_the_same_refund_again_moves_nothing(chain, asha):
    earn(asha, 50)
    pay(chain, asha, "100.00", use=50)
    first = give_back(chain)
    assert (
        give_back(chain).effects
        == first.effects
        == {"points": {"returned": 50, "paidBack": "50.00", "takenBack": 50}}
    )
    assert points(asha) == 50


def test_rates_of_services_and_the_tier_count(chain, asha):
    cut, wash = ServiceFactory(), ServiceFactory()
    EarnRate.objects.create(category=cut.category, points_per_100=300)
    EarnRate.objects.create(service=cut, points_per_100=500)
    EarnRate.objects.create(category=wash.category, points_per_100=0)
    make_tiers(("Silver", 0, 20_000))
    earn(asha, 1)
    line, free = (
        {"serviceId": str(service.pk), "categoryId": str(service.category_id), "unitPrice": "10.00"}
        for service in (cut, wash)
    )
    assert price(chain, asha, line, free).told["points"]["wouldEarn"] == 100
    pay(chain, asha, line, free)
    assert points(asha) == 101
    assert price(chain, asha, line).scene.tier != ""
    assert uuid.UUID(price(chain, asha, line).scene.tier)


def test_an_offer_for_a_tier_is_hers_alone(chain, asha):
    (silver,) = make_tiers(("Silver", 0, 10_000))
    make_offer(loyaltyTiers=[str(silver.pk)])
    assert price(chain, asha, "100.00").quote.discount == 0
    earn(asha, 1)
    assert price(chain, asha, "100.00").quote.discount == 1000
