"""What was promised and what the bill then says: sent late, with other lines, codes or points."""

import datetime as dt

import pytest

from customers.models import Purchase, PurchaseRefund, Visit
from customers.services import erase_customer
from marketing.core import clock
from marketing.coupons import services
from marketing.coupons.models import CustomerUse, OfferUse
from marketing.loyalty import selectors as points_selectors
from marketing.loyalty import services as points_services
from tests.factories.coupons import make_offer, system
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import earn, make_programme, spend


def test_redeemed_first_and_recorded_after(chain, till):
    make_offer(maxTotalUses=5)
    asha = CustomerFactory()
    reserved = till.reserve(customer=asha)
    till.redeem(reserved["reservation"], "17")
    sold = till.sell({"unitPrice": "100.00", "discount": "10.00"}, customer=asha, invoice="17")
    assert till.status == 201
    assert len(sold["invoice"]["offers"]) == 1
    assert Purchase.objects.get().total == 90


@pytest.mark.parametrize("brings", [[{1: 1}], [{1: 1}, None], [None]])
def test_what_came_back_before_the_bill_was_sent_does_not_count(chain, till, brings):
    make_programme()
    asha = CustomerFactory()
    line = {"unitPrice": "100.00", "quantity": 2}
    till.redeem(till.reserve(line, customer=asha)["reservation"], "17")
    told = [till.refund("17", f"R{n}", lines) for n, lines in enumerate(brings)]
    body = till.invoice_body(line, customer=asha, invoice="17", rounding="0.40", total="200.40")
    for _ in range(2):
        till.post("invoices", body)
    bill = Purchase.objects.get()
    is_whole = brings[-1] is None
    assert (bill.refunded, bill.status) == (
        (bill.total, "refunded") if is_whole else (100, "finalised")
    )
    # Each was counted once: the same again is the same answer.
    again = [till.refund("17", f"R{n}", lines) for n, lines in enumerate(brings)]
    assert [each["refund"]["lines"] for each in again] == [each["refund"]["lines"] for each in told]
    assert PurchaseRefund.objects.count() == len(brings)


def test_a_bill_voided_before_it_was_sent_does_not_count(chain, till):
    asha = CustomerFactory()
    line = {"unitPrice": "100.00", "quantity": 2}
    till.redeem(till.reserve(line, customer=asha)["reservation"], "17")
    till.refund("17", "R1", {1: 1})
    till.void("17")
    till.sell(line, customer=asha, invoice="17")
    bill = Purchase.objects.get()
    assert (bill.status, bill.refunded) == ("void", 100)
    assert not Visit.objects.exists()


def test_late_bill_is_taken_and_told_what_is_gone(chain, till, monkeypatch):
    make_offer(maxTotalUses=1)
    asha, other = CustomerFactory.create_batch(2)
    reserved = till.reserve(customer=asha)
    later = clock.now() + dt.timedelta(hours=3)
    closed_at = clock.now().isoformat()
    monkeypatch.setattr(clock, "now", lambda: later)
    services.expire_due()
    till.sell(customer=other, reserved=till.reserve(customer=other))
    sold = till.sell(customer=asha, reserved=reserved, invoice="17", finalizedAt=closed_at)
    assert [each["code"] for each in sold["invoice"]["warnings"]] == ["reservation_expired"]
    assert sold["invoice"]["offers"] == []
    assert Purchase.objects.get(customer=asha).total == 90
    assert OfferUse.objects.get().used == 1
    # The same answer again, warnings included; and its lines come back like any others.
    body = till.invoice_body(customer=asha, reserved=reserved, invoice="17", finalizedAt=closed_at)
    assert till.post("invoices", body) == sold
    assert till.refund("17", lines={1: 1})["refund"]["amount"] == "90.00"


def test_late_bill_gets_what_is_still_there(chain, till, monkeypatch):
    make_programme(points_per_100=100)
    make_offer(maxTotalUses=1)
    asha = CustomerFactory()
    earn(asha, 100)
    reserved = till.reserve(customer=asha, points={"use": 40})
    later = clock.now() + dt.timedelta(hours=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    services.expire_due()
    assert points_selectors.balance(asha.pk).points == 100
    sold = till.sell(customer=asha, reserved=reserved)
    assert sold["invoice"]["warnings"] == []
    assert sold["points"] == {"used": 40, "earned": 50}
    assert points_selectors.balance(asha.pk).points == 110


def test_what_cannot_be_redeemed_is_free_for_the_bill_as_it_is(chain, till, monkeypatch):
    make_programme()
    offer = make_offer(code="ONE", maxTotalUses=1)
    asha = CustomerFactory()
    earn(asha, 100)
    reserved = till.reserve(customer=asha, codes=["ONE"], points={"use": 60})
    later = clock.now() + dt.timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    points_services.void_overdue_holds()
    spend(asha, 100)
    sold = till.sell(customer=asha, codes=["ONE"], reserved=reserved)["invoice"]
    assert [each["code"] for each in sold["warnings"]] == ["not_enough_points"]
    assert [each["code"] for each in sold["offers"]] == ["ONE"]
    use = OfferUse.objects.get(offer=offer)
    assert (use.used, use.reserved) == (1, 0)


def test_other_lines_than_reserved_are_taken_without_what_was_held(chain, till):
    make_offer(maxTotalUses=1)
    asha = CustomerFactory()
    reserved = till.reserve(customer=asha)
    body = till.invoice_body(customer=asha, reserved=reserved)
    body["lines"].append(till.line("50.00"))
    body["total"] = "140.00"
    sold = till.post("invoices", body)
    assert [each["code"] for each in sold["invoice"]["warnings"]] == ["lines_differ"]
    use = OfferUse.objects.get()
    assert (use.used, use.reserved) == (0, 0)
    assert Purchase.objects.get().total == 140


@pytest.mark.parametrize("other", ["price", "service"])
def test_another_price_or_service_than_reserved_is_another_sale(chain, till, other):
    """Else a unit would come back at what another one had cost."""
    make_programme()
    make_offer(maxTotalUses=1)
    asha = CustomerFactory()
    two = {"unitPrice": "100.00", "quantity": 2}
    reserved = till.reserve(two, customer=asha)
    body = till.invoice_body(two, customer=asha)
    line = body["lines"][0]
    line |= {"unitPrice": "180.00"} if other == "price" else {"serviceId": till.service("spa")}
    body |= {"total": "360.00" if other == "price" else "200.00"}
    body |= {"reservationId": reserved["reservation"]["id"]}
    sold = till.post("invoices", body)
    assert [each["code"] for each in sold["invoice"]["warnings"]] == ["lines_differ"]
    assert (sold["invoice"]["offers"], OfferUse.objects.get().reserved) == ([], 0)
    half = till.refund(body["invoiceId"], lines={1: 1})
    assert half["refund"]["amount"] == ("180.00" if other == "price" else "100.00")


def test_a_price_with_the_discount_off_it_is_the_promised_sale(chain, till):
    make_offer(maxTotalUses=1)
    asha = CustomerFactory()
    reserved = till.reserve(customer=asha)
    body = till.invoice_body("90.00", customer=asha)
    body |= {"reservationId": reserved["reservation"]["id"]}
    sold = till.post("invoices", body)["invoice"]
    assert [each["code"] for each in sold["warnings"]] == ["discount_differs"]
    assert (sold["offersDiscount"], OfferUse.objects.get().used) == ("10.00", 1)


def test_what_was_reserved_for_somebody_else_is_not_given(chain, till):
    make_programme()
    make_offer(maxUsesPerCustomer=1)
    asha, bela = CustomerFactory.create_batch(2)
    earn(asha, 60)
    reserved = till.reserve(customer=asha, points={"use": 60})
    sold = till.post("invoices", till.invoice_body(customer=bela, reserved=reserved))
    assert [each["code"] for each in sold["invoice"]["warnings"]] == ["customer_differs"]
    assert sold["invoice"]["offers"] == []
    assert Purchase.objects.get().customer == bela
    assert (points_selectors.balance(asha.pk).points, points_selectors.balance(bela.pk).points) == (
        60,
        90,
    )
    assert not CustomerUse.objects.filter(n__gt=0).exists()


def test_another_discount_than_promised_is_told(chain, till):
    make_offer()
    asha = CustomerFactory()
    reserved = till.reserve(customer=asha)
    body = till.invoice_body(customer=asha, reserved=reserved)
    body["lines"][0]["discount"] = "15.00"
    body["total"] = "85.00"
    (warning,) = till.post("invoices", body)["invoice"]["warnings"]
    assert warning["code"] == "discount_differs"
    assert warning["details"] == {"lines": {"1": {"promised": "10.00", "billed": "15.00"}}}


def test_codes_without_a_reservation_are_redeemed_with_the_bill(chain, till):
    offer = make_offer(code="TENTH", maxTotalUses=1)
    asha = CustomerFactory()
    line = {"unitPrice": "100.00", "discount": "10.00"}
    sold = till.sell(line, customer=asha, codes=["tenth"])
    assert sold["invoice"]["offers"][0]["code"] == "TENTH"
    assert OfferUse.objects.get(offer=offer).used == 1
    again = till.sell(line, customer=asha, codes=["tenth"])
    assert [each["code"] for each in again["invoice"]["warnings"]] == ["coupon_max_uses"]
    long_ago = (clock.now() - dt.timedelta(hours=3)).isoformat()
    late = till.sell(line, customer=asha, codes=["tenth"], finalizedAt=long_ago)
    [warning] = late["invoice"]["warnings"]
    assert "quarter of an hour" in warning["message"]
    assert Purchase.objects.count() == 3


def test_redeemed_first_and_billed_otherwise_is_told(chain, till):
    make_offer()
    asha = CustomerFactory()
    reserved = till.reserve(customer=asha)
    till.redeem(reserved["reservation"], "17")
    body = till.invoice_body(customer=asha, invoice="17", rounding="0.40", total="100.40")
    sold = till.post("invoices", body)
    assert [each["code"] for each in sold["invoice"]["warnings"]] == ["discount_differs"]
    assert till.post("invoices", body) == sold
    # All that was billed comes back, whatever was promised.
    assert till.void("17")["refund"]["amount"] == "100.40"
    assert till.void("17")["refund"]["amount"] == "100.40"


def test_what_was_reserved_for_somebody_erased_is_sold_all_the_same(chain, till):
    asha = CustomerFactory()
    reserved = till.reserve(customer=asha)
    erase_customer(actor=system(), customer=asha)
    sold = till.sell(reserved=reserved)["invoice"]
    assert (sold["total"], sold["purchaseId"]) == ("100.00", None)


@pytest.mark.parametrize(
    ("policy", "given", "codes"), [("partial", "10.00", ["GOOD"]), ("all", "0.00", [])]
)
def test_one_bad_code_does_not_lose_the_others(chain, till, policy, given, codes):
    make_offer(code="GOOD", maxTotalUses=1)
    make_offer(code="OVER", isActive=False)
    asha = CustomerFactory()
    asked = {"codes": ["over", "Good", "NOSUCH", "good"], "codesPolicy": policy}
    line = {"unitPrice": "100.00", "discount": given}
    asked["referral"] = {"code": "NOBODYS"}
    invoice = till.sell(line, customer=asha, **asked)["invoice"]
    assert invoice["offersDiscount"] == given
    assert [each["code"] for each in invoice["offers"]] == codes
    refused = [each["details"].get("code") for each in invoice["warnings"]]
    assert "OVER" in refused
    if policy == "partial":
        assert {"OVER", "NOSUCH"} <= set(refused)
        assert OfferUse.objects.get(offer__code="GOOD", branch=None).used == 1


@pytest.mark.parametrize(("asked", "told"), [(40, []), (90, [90, 60]), ("max", [])])
def test_fewer_points_than_the_bill_says_are_told(chain, till, asked, told):
    make_programme()
    asha = CustomerFactory()
    earn(asha, 60)
    more = {"customer": asha, "points": {"use": asked}, "invoice": "P"}
    answer = till.sell("100.00", **more)
    assert answer["points"]["used"] == (40 if asked == 40 else 60)
    warnings = answer["invoice"]["warnings"]
    assert [each["code"] for each in warnings] == (["points_differ"] if told else [])
    assert [list(each["details"].values()) for each in warnings] == ([told] if told else [])
    assert till.sell("100.00", **more)["invoice"]["warnings"] == warnings
