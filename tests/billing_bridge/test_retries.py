"""The counter asks again: with the same key, another key, another body."""

import datetime as dt

import pytest

from billing_bridge.models import RawRow
from billing_bridge.services import replay_row
from customers.models import Purchase, PurchaseRefund, Visit
from customers.services import erase_customer
from marketing.core import clock
from marketing.core.models import DomainEvent
from marketing.coupons import services
from marketing.coupons.models import OfferUse, Redemption, Reversal
from marketing.loyalty import selectors as points_selectors
from marketing.loyalty import services as points_services
from tests.billing_bridge.till import Refused, Till
from tests.factories.coupons import make_offer, system
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.factories.loyalty import earn, make_programme, spend


@pytest.fixture
def till(chain):
    return Till(chain)


def test_same_key_and_body_is_the_stored_answer(chain, till):
    make_offer(maxTotalUses=5)
    asha = CustomerFactory()
    reserved = till.reserve(customer=asha, key="bill", http_key="k-reserve")
    again = till.reserve(customer=asha, key="bill", http_key="k-reserve")
    assert again == reserved
    done = till.redeem(reserved["reservation"], "17", "k-redeem")
    assert till.redeem(reserved["reservation"], "17", "k-redeem") == done
    body = till.invoice_body(customer=asha, reserved=reserved, invoice="17")
    sold = till.post("invoices", body, "k-invoice")
    assert (till.post("invoices", body, "k-invoice"), till.status) == (sold, 201)
    refunded = till.refund("17", http_key="k-refund")
    assert till.refund("17", http_key="k-refund") == refunded
    assert OfferUse.objects.get().used == 0
    assert Redemption.objects.count() == Purchase.objects.count() == Reversal.objects.count() == 1


def test_another_key_is_found_by_branch_invoice_and_operation(chain, till):
    make_programme()
    offer = make_offer(maxTotalUses=5)
    asha = CustomerFactory()
    reserved = till.reserve(customer=asha)
    body = till.invoice_body(customer=asha, reserved=reserved, invoice="17")
    sold = till.post("invoices", body)
    assert (till.post("invoices", body), till.status) == (sold, 200)
    # A till that lost its reservation says the same of the bill.
    del body["reservationId"]
    assert till.post("invoices", body) == sold
    assert OfferUse.objects.get(offer=offer).used == 1
    assert points_selectors.balance(asha.pk).points == 90
    part = till.refund("17", "R1", {1: 1})
    assert till.refund("17", "R1", {1: 1}) == part
    assert PurchaseRefund.objects.count() == 1
    assert DomainEvent.objects.filter(name="invoice.refunded").count() == 1


def test_same_key_with_another_body_is_refused(chain, till):
    till.sell(customer=CustomerFactory(), invoice="17", http_key="k")
    with pytest.raises(Refused) as refused:
        till.sell(customer=CustomerFactory(), invoice="18", http_key="k")
    assert (refused.value.status, refused.value.code) == (422, "MARKETING_422")
    assert "Idempotency-Key" in refused.value.error["message"]
    assert Purchase.objects.count() == 1


@pytest.mark.parametrize(
    "lines", [["200.00"], ["100.00", "5.00"], [{"unitPrice": "50", "quantity": 2}]]
)
def test_same_bill_with_other_lines_or_total_is_refused(chain, till, lines):
    asha = CustomerFactory()
    till.sell(customer=asha, invoice="17")
    with pytest.raises(Refused) as refused:
        till.sell(*lines, customer=asha, invoice="17")
    assert refused.value.code == "MARKETING_422"
    assert Purchase.objects.get().total == 100


def test_refund_with_a_used_name_and_other_lines_is_refused(chain, till):
    till.sell("10.00", "20.00", customer=CustomerFactory(), invoice="17")
    till.refund("17", "R1", {1: 1})
    with pytest.raises(Refused) as refused:
        till.refund("17", "R1", {2: 1})
    assert (refused.value.code, list(refused.value.fields)) == ("MARKETING_422", ["lines"])
    assert "Idempotency-Key" not in refused.value.error["message"]
    assert Purchase.objects.get().refunded == 10


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


def test_two_branches_have_the_same_numbers(chain, till):
    south = Till(chain, branch=chain.south)
    asha = CustomerFactory()
    for each in (till, south):
        each.sell(customer=asha, invoice="17")
    till.refund("17")
    assert sorted(Purchase.objects.values_list("refunded", flat=True)) == [0, 100]


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


def test_a_refused_bill_is_kept_and_goes_through_once_mended(chain, till):
    asha = CustomerFactory()
    body = till.invoice_body({"serviceExternalId": "NEW", "unitPrice": "80.00"}, customer=asha)
    with pytest.raises(Refused) as refused:
        till.post("invoices", body)
    assert list(refused.value.fields) == ["lines.0.serviceExternalId"]
    row = RawRow.objects.get()
    assert (row.state, row.error["code"]) == ("failed", "MARKETING_400")
    ServiceFactory(external_id="NEW")
    for _ in range(2):
        assert replay_row(actor=chain.actor(chain.owner), row_id=row.pk).state == "applied"
    assert Purchase.objects.get().total == 80
    till.refund(body["invoiceId"])
    assert set(RawRow.objects.values_list("operation", "state")) == {
        ("invoice", "applied"),
        ("refund", "applied"),
    }


def test_the_same_bill_for_another_customer_is_refused(chain, till):
    make_programme()
    make_offer(code="ONE", maxUsesPerCustomer=1)
    asha, other = CustomerFactory.create_batch(2)
    till.sell(customer=asha, invoice="1")
    reserved = till.reserve(customer=asha, codes=["ONE"])
    till.redeem(reserved["reservation"], "2")
    for invoice in ("1", "2"):
        body = till.invoice_body(customer=other, invoice=invoice)
        with pytest.raises(Refused) as refused:
            till.post("invoices", body)
        assert (refused.value.status, list(refused.value.fields)) == (422, ["customerId"])
    assert not Purchase.objects.filter(customer=other).exists()


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


def test_a_refund_told_again_says_whose_answer_it_is(chain, till):
    asha = CustomerFactory()
    line = {"unitPrice": "10.00", "quantity": 3}
    till.sell(line, customer=asha, invoice="17")
    first = till.refund("17", "R1", {1: 1})
    assert till.status == 201
    rest = till.refund("17", "R2")
    assert till.refund("17", "R1", {1: 1}) == first
    assert till.status == 200
    assert till.refund("17", "R3") == rest
    assert (till.status, rest["refund"]["refundId"]) == (200, "R2")


def test_a_refund_told_again_after_the_void_is_the_same_answer(chain, till):
    asha = CustomerFactory()
    till.sell({"unitPrice": "10.00", "quantity": 2}, customer=asha, invoice="17")
    first = till.refund("17", "R1", {1: 1})
    till.void("17")
    assert till.refund("17", "R1", {1: 1}) == first
    # A bill of nobody known has no purchase that would refuse it.
    till.sell("10.00", invoice="18")
    till.void("18")
    for invoice in ("17", "18"):
        with pytest.raises(Refused) as refused:
            till.refund(invoice, "R2")
        assert (refused.value.status, "voided" in refused.value.error["message"]) == (409, True)


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
