"""The counter asks again: with the same key, another key, another body."""

import uuid

import pytest

from billing_bridge.models import RawRow
from billing_bridge.services import replay_row
from customers.models import Purchase, PurchaseRefund
from marketing.core.models import DomainEvent
from marketing.coupons.models import OfferUse, Redemption, Reservation, Reversal
from marketing.loyalty import selectors as points_selectors
from tests.billing_bridge.till import Refused, Till
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.factories.loyalty import make_programme


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


def test_same_key_and_body_at_another_address_is_refused(chain, till):
    held = [till.reserve()["reservation"]["id"] for _ in range(2)]
    one, other = (f"reservations/{pk}/release" for pk in held)
    till.post(one, {}, "k")
    with pytest.raises(Refused) as refused:
        till.post(other, {}, "k")
    assert (refused.value.status, refused.value.code) == (422, "MARKETING_422")
    states = dict(Reservation.objects.values_list("pk", "state"))
    assert [states[uuid.UUID(pk)] for pk in held] == ["released", "reserved"]


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


def test_two_branches_have_the_same_numbers(chain, till):
    south = Till(chain, branch=chain.south)
    asha = CustomerFactory()
    for each in (till, south):
        each.sell(customer=asha, invoice="17")
    till.refund("17")
    assert sorted(Purchase.objects.values_list("refunded", flat=True)) == [0, 100]


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


def test_a_refused_bill_is_found_by_its_number_and_settled_by_the_mended_one(till):
    body = till.invoice_body({"serviceExternalId": "NEW", "unitPrice": "80.00"}, invoice="17")
    for _ in range(2):
        with pytest.raises(Refused):
            till.post("invoices", body)
    row = RawRow.objects.get()
    assert (row.natural_key, row.branch_id, row.tries) == (
        f"{till.branch.pk}:17",
        till.branch.pk,
        2,
    )
    till.sell("80.00", invoice="17")
    row.refresh_from_db()
    assert (row.state, list(row.made)) == ("applied", ["settledBy"])


@pytest.mark.parametrize("said", [{"invoiceId": 17}, {"branchId": "north"}, {"branchId": None}, []])
def test_a_body_that_names_no_bill_is_kept_without_a_number(till, said):
    body = {**till.body(), "invoiceId": "17", **said} if said else said
    with pytest.raises(Refused):
        till.post("invoices", body)
    assert RawRow.objects.get().natural_key == ""


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
