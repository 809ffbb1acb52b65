"""What the counter is refused: typed, at its field, with nothing left behind."""

import datetime as dt
import json
import uuid
from contextlib import suppress

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Purchase
from marketing.core import clock
from marketing.core.tenancy import tenant_scope
from marketing.coupons import services as coupons
from marketing.coupons.errors import Busy
from marketing.coupons.models import Hold, OfferUse, Reservation
from tests.billing_bridge.till import BASE, Refused, Till
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import earn, make_programme
from tests.page_queries import NO_QUESTION


def line(**changes):
    return {"serviceId": "cut", "unitPrice": "100.00", **changes}


def soon(**by):
    return (clock.now() + dt.timedelta(**by)).isoformat()


NOBODY = str(uuid.uuid4())
# What is wrong with a bill, and the field that is named.
BAD_BILLS = {
    "negative price": (lambda: {"lines": [line(unitPrice="-1")]}, "lines.0.unitPrice"),
    "three decimals": (lambda: {"lines": [line(unitPrice="1.005")]}, "lines.0.unitPrice"),
    "a trillion": (lambda: {"lines": [line(unitPrice="1e12")]}, "lines.0.unitPrice"),
    "no number": (lambda: {"lines": [line(unitPrice="₹100")]}, "lines.0.unitPrice"),
    "not finite": (lambda: {"lines": [line(unitPrice="NaN")]}, "lines.0.unitPrice"),
    "nothing of it": (lambda: {"lines": [line(quantity=0)]}, "lines.0.quantity"),
    "half a unit": (lambda: {"lines": [line(quantity=1.5)]}, "lines.0.quantity"),
    "very many units": (lambda: {"lines": [line(quantity=10**9)]}, "lines.0.quantity"),
    "more off than it costs": (lambda: {"lines": [line(manualDiscount="101")]}, "lines.0.manualDiscount"),  # noqa: E501
    "tax of 101 %": (lambda: {"lines": [line(taxRate="101")]}, "lines.0.taxRate"),
    "no such day": (lambda: {"lines": [line(performedOn="2026-02-30")]}, "lines.0.performedOn"),
    "unknown service": (lambda: {"lines": [{"serviceExternalId": "शून्य", "unitPrice": "1"}]}, "lines.0.serviceExternalId"),  # noqa: E501
    "another category": (lambda: {"lines": [line(categoryId=NOBODY)]}, "lines.0.categoryId"),
    "unknown field of a line": (lambda: {"lines": [line(price="1")]}, "lines.0.price"),
    "a number twice": (lambda: {"lines": [line(number=1), line(number=1)]}, "lines"),
    "501 lines": (lambda: {"lines": [line()] * 501}, "lines"),
    "no list": (lambda: {"lines": "cut"}, "lines"),
    "code of 60 signs": (lambda: {"codes": ["A" * 60]}, "codes.0"),
    "21 codes": (lambda: {"codes": [f"CODE{n}" for n in range(21)]}, "codes"),
    "unknown field": (lambda: {"coupon": "TEN"}, "coupon"),
    "unknown branch": (lambda: {"branchId": NOBODY}, "branchId"),
    "unknown customer": (lambda: {"customerId": NOBODY}, "customerId"),
    "unknown phone": (lambda: {"customerPhone": "+919812345678"}, "customerPhone"),
    "no phone": (lambda: {"customerPhone": "12"}, "customerPhone"),
    "unknown external id": (lambda: {"customerExternalId": "x"}, "customerExternalId"),
    "two customers": (lambda: {"customerId": NOBODY, "customerPhone": "+919812345678"}, "customerId"),  # noqa: E501
    "no points": (lambda: {"points": {"use": 0}}, "points.use"),
    "points by word": (lambda: {"points": {"use": "all"}}, "points.use"),
    "true points": (lambda: {"points": {"use": True}}, "points.use"),
    "a slow clock": (lambda: {"at": soon(minutes=-16)}, "at"),
    "a fast clock": (lambda: {"at": soon(minutes=16)}, "at"),
}  # fmt: skip
BAD_INVOICES = {
    "no id": (lambda: {"invoiceId": ""}, "invoiceId"),
    "id of 61 signs": (lambda: {"invoiceId": "1" * 61}, "invoiceId"),
    "no line": (lambda: {"lines": []}, "lines"),
    "total of something else": (lambda: {"total": "99.00"}, "total"),
    "payments of something else": (lambda: {"payments": [{"method": "upi", "amount": "1"}]}, "payments"),  # noqa: E501
    "more off than it costs": (lambda: {"lines": [line(discount="101")], "total": "0"}, "lines.0.discount"),  # noqa: E501
    "closed tomorrow": (lambda: {"finalizedAt": soon(days=1)}, "finalizedAt"),
    "closed before Unix": (lambda: {"finalizedAt": "1850-01-01T00:00:00Z"}, "finalizedAt"),
    "closed in no zone": (lambda: {"finalizedAt": "2026-05-04T21:00:00"}, "finalizedAt"),
    "unknown staff": (lambda: {"lines": [line(staffId=NOBODY)]}, "lines.0.staffId"),
    "unknown customer": (lambda: {"customerId": NOBODY}, "customerId"),
}  # fmt: skip
BAD_REFUNDS = {
    "no name": (lambda: {"refundId": ""}, "refundId"),
    "no lines": (lambda: {"lines": []}, "lines"),
    "none of a line": (lambda: {"lines": [{"number": 1, "quantity": 0}]}, "lines.0.quantity"),
    "a line twice": (lambda: {"lines": [{"number": 1}, {"number": 1}]}, "lines"),
    "unknown field": (lambda: {"amount": "5"}, "amount"),
    "tomorrow": (lambda: {"refundedAt": soon(days=1)}, "refundedAt"),
    "in the year 1": (lambda: {"refundedAt": "0001-01-01T00:00:00Z"}, "refundedAt"),
}


def refusals(till, path, table, whole):
    """By name: what was answered where it is not a 400 at the field."""
    wrong = {}
    for name, (changes, field) in table.items():
        changed = changes()
        if isinstance(changed.get("lines"), list) and path != "invoices/17/refund":
            known = {**changed}
            known["lines"] = [till.line(each) for each in changed["lines"]]
            changed = known
        try:
            wrong[name] = till.post(path, {**whole(), **changed})
        except Refused as refused:
            if (refused.status, refused.code) != (
                400,
                "MARKETING_400",
            ) or field not in refused.fields:
                wrong[name] = (refused.status, refused.fields)
    return wrong


def test_bad_bills_are_told_at_the_field(chain, till):
    make_offer(maxTotalUses=5)
    assert not refusals(till, "quote", BAD_BILLS, till.body)
    few = ("negative price", "unknown service", "a slow clock", "code of 60 signs", "no points")
    reserve = {name: BAD_BILLS[name] for name in few}
    assert not refusals(till, "reserve", reserve, lambda: till.body(key="bill"))
    assert not Reservation.objects.exists()
    assert not Hold.objects.exists()


def test_what_is_wrong_is_said_in_words(chain, till):
    with pytest.raises(Refused) as refused:
        till.quote(*[line(quantity=1001)] * 5)
    assert refused.value.fields == {"lines": ["A bill has 5,000 units at most."]}
    with pytest.raises(Refused) as refused:
        till.quote(line(quantity=2, unitPrice="1250", manualDiscount="2500.01"))
    assert refused.value.fields == {"lines.0.manualDiscount": ["From ₹0 to ₹2,500."]}


def test_what_can_be_reserved_can_be_paid(chain, till):
    """The highest bill with all of it as tax on top, rounded up; a paisa more is never priced."""
    asha = CustomerFactory()
    crore = {"unitPrice": "10000000", "taxRate": "100"}
    asked = {"customer": asha, "pricesIncludeTax": False}
    reserved = till.reserve(crore, **asked)
    paid = {"tax": "10000000.00", "rounding": "100", "total": "20000100.00"}
    paid["payments"] = [{"method": "bank", "amount": paid["total"]}]
    sold = till.sell(crore, reserved=reserved, **asked, **paid)["invoice"]
    assert (sold["total"], sold["warnings"]) == ("20000100.00", [])
    assert till.refund(sold["invoiceId"])["refund"]["money"] == "20000100.00"
    reserved_now, sold_now = Reservation.objects.count(), Purchase.objects.count()
    for act in (till.quote, till.reserve, till.sell):
        with pytest.raises(Refused) as refused:
            act(crore, "0.01", customer=asha)
        assert (refused.value.status, refused.value.fields) == (
            400,
            {
                "lines": [
                    "A bill comes to ₹1,00,00,000 at most before anything is taken off."
                    " Make two bills of it."
                ]
            },
        )
    assert (Reservation.objects.count(), Purchase.objects.count()) == (reserved_now, sold_now)


def test_bad_invoices_are_told_at_the_field(chain, till):
    asha = CustomerFactory()
    assert not refusals(till, "invoices", BAD_INVOICES, lambda: till.invoice_body(customer=asha))
    assert not Purchase.objects.exists()
    assert not Reservation.objects.exists()


def test_bad_refunds_are_told_at_the_field(chain, till):
    asha = CustomerFactory()
    till.sell(customer=asha, invoice="17")
    whole = {"branchId": str(chain.north.pk), "refundId": "R"}
    assert not refusals(till, "invoices/17/refund", BAD_REFUNDS, lambda: whole)
    assert Purchase.objects.get().refunded == 0


def test_more_than_was_sold_is_refused(chain, till):
    asha = CustomerFactory()
    till.sell({"unitPrice": "10.00", "quantity": 2}, customer=asha, invoice="17")
    till.refund("17", "R1", {1: 1})
    for lines in ({1: 2}, {2: 1}):
        with pytest.raises(Refused) as refused:
            till.refund("17", "R2", lines)
        assert (refused.value.status, refused.value.code) == (409, "MARKETING_039")
    assert Purchase.objects.get().refunded == 10


def test_writes_need_a_key(chain, till):
    asha = CustomerFactory()
    body = json.dumps(till.invoice_body(customer=asha))
    answer = till.client.post(
        BASE + "invoices", body, content_type="application/json", headers=till.headers
    )
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["Idempotency-Key"]
    assert not Purchase.objects.exists()


def test_keys_and_names_that_cannot_be_kept(chain, till):
    with pytest.raises(Refused) as refused:
        till.sell(customer=CustomerFactory(), http_key="x" * 256)
    assert (refused.value.status, list(refused.value.fields)) == (400, ["Idempotency-Key"])
    for work in (till.refund, till.void):
        with pytest.raises(Refused) as refused:
            work("17%00")
        assert (refused.value.status, refused.value.code) == (404, "MARKETING_404")
    assert not Purchase.objects.exists()


def test_a_stale_price_is_told_with_the_new_one(chain, till):
    make_offer(maxTotalUses=5)
    stale = till.quote("100.00")["quote"]["quoteHash"]
    with pytest.raises(Refused) as refused:
        till.reserve("300.00", quoteHash=stale)
    assert (refused.value.status, refused.value.code) == (409, "MARKETING_036")
    assert refused.value.details["quote"]["payable"] == "270.00"
    assert refused.value.details["quoteHash"] != stale
    fresh = till.reserve("300.00", quoteHash=refused.value.details["quoteHash"])
    assert fresh["quote"]["payable"] == "270.00"


def test_busy_is_503_and_says_when_to_ask_again(chain, till, monkeypatch):
    monkeypatch.setattr(
        "marketing.coupons.services.promises.price_bill",
        lambda **_: (_ for _ in ()).throw(Busy()),
    )
    with pytest.raises(Refused) as refused:
        till.reserve()
    assert (refused.value.status, refused.value.error["name"]) == (503, "BUSY")
    assert refused.value.headers["Retry-After"] == "1"


@pytest.mark.parametrize("step", ["redeem_found", "redeem_bill"])
def test_a_bill_that_is_busy_is_sent_again_and_loses_no_offer(chain, till, monkeypatch, step):
    make_offer(code="TENTH")
    asha = CustomerFactory()
    reserved = till.reserve(customer=asha, codes=["TENTH"]) if step == "redeem_found" else None
    line = {"unitPrice": "100.00", "discount": "10.00"}
    body = till.invoice_body(line, customer=asha, codes=["TENTH"], reserved=reserved)
    with monkeypatch.context() as waiting:
        waiting.setattr(coupons, step, lambda **_: (_ for _ in ()).throw(Busy()))
        with pytest.raises(Refused) as refused:
            till.post("invoices", body)
    assert (refused.value.status, refused.value.error["name"]) == (503, "BUSY")
    assert not Purchase.objects.exists()
    sold = till.post("invoices", body)["invoice"]
    assert ([each["code"] for each in sold["offers"]], sold["warnings"]) == (["TENTH"], [])


def test_keys_of_other_branches_and_scopes(chain, till, login):
    till.sell(customer=CustomerFactory(), invoice="17")
    reserved = till.reserve()
    south, reader = Till(chain, branch=chain.south), Till(chain, scopes=["read"])
    with pytest.raises(Refused) as refused:
        south.quote(branchId=str(chain.north.pk))
    assert list(refused.value.fields) == ["branchId"]
    for act in (lambda: south.refund("17"), lambda: south.redeem(reserved["reservation"], "18")):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.status == 404
    with pytest.raises(Refused) as refused:
        reader.quote()
    assert refused.value.status == 403
    assert refused.value.error["message"] == "No scope of this API key allows this."
    desk = login("receptionist")
    body = till.body()
    answer = desk.post(BASE + "quote", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200
    body["branchId"] = str(chain.south.pk)
    answer = desk.post(BASE + "quote", json.dumps(body), content_type="application/json")
    assert answer.status_code == 400


def test_another_chains_bill_is_not_known(chain, till, other_chain):
    till.sell(customer=CustomerFactory(), invoice="17")
    with tenant_scope(other_chain.tenant.pk):
        stranger = Till(other_chain)
    with pytest.raises(Refused) as refused:
        stranger.refund("17")
    assert refused.value.status == 404
    with pytest.raises(Refused) as refused:
        stranger.quote(lines=[{"serviceId": till.service("cut"), "unitPrice": "1"}])
    assert list(refused.value.fields) == ["lines.0.serviceId"]


def test_a_family_on_one_number_is_asked_who(chain, till):
    first, second = CustomerFactory.create_batch(2, phone="+919876543210")
    with pytest.raises(Refused) as refused:
        till.quote(customerPhone="98765 43210")
    assert refused.value.details["customerIds"] == [str(first.pk), str(second.pk)]
    Customer.objects.filter(pk=second.pk).update(phone="")
    make_programme()
    earn(first, 5)
    assert till.quote(customerPhone="98765 43210")["points"]["balance"] == 5


def test_wrong_codes_are_throttled(chain, till):
    for turn in range(5):
        till.quote(codes=[f"WRONG{turn}{n}" for n in (1, 2)])
    for ask in (till.quote, till.reserve):
        with pytest.raises(Refused) as refused:
            ask(codes=["WRONG99"])
        assert refused.value.status == 429
        assert int(refused.value.headers["Retry-After"]) > 0
    assert not Reservation.objects.exists()
    assert till.quote()["quote"]["payable"] == till.reserve()["quote"]["payable"] == "100.00"


@pytest.mark.parametrize("way", ["stale", "held", "sold"])
def test_no_way_of_sending_codes_lets_them_be_guessed(chain, till, way):
    held = till.quote()["quote"]["quoteHash"]
    hashes = {"stale": "0" * 64, "held": held}
    for turn in range(5):
        codes = [f"WRONG{turn}{n}" for n in (1, 2)]
        if way == "sold":
            till.sell(codes=codes)
        else:
            with suppress(Refused):
                till.reserve(codes=codes, quoteHash=hashes[way])
    with pytest.raises(Refused) as refused:
        till.quote(codes=["WRONG99"])
    assert refused.value.status == 429
    # The sale itself is never refused for it.
    assert till.sell(codes=["WRONG99"])["invoice"]["total"] == "100.00"


def statements(work):
    with CaptureQueriesContext(connection) as caught:
        work()
    return [each["sql"] for each in caught if not NO_QUESTION.match(each["sql"])]


def test_statements_do_not_grow_with_the_bill(chain, till):
    make_programme()
    make_offer(code="TENTH", maxTotalUses=500)
    make_offer(maxUsesPerCustomer=100)
    asha = CustomerFactory()
    earn(asha, 1000)
    asked = {"customer": asha, "codes": ["TENTH"], "points": {"use": 10}}

    def counts(lines):
        till.quote(*lines, **asked)
        quoted = statements(lambda: till.quote(*lines, **asked))
        reserved = []
        reserving = statements(lambda: reserved.append(till.reserve(*lines, **asked)))
        body = till.invoice_body(*lines, customer=asha, reserved=reserved[0])
        taking = statements(lambda: till.post("invoices", body))
        refunding = statements(lambda: till.refund(body["invoiceId"]))
        return len(quoted), len(reserving), len(taking), len(refunding)

    counts(["100.00"])
    few = counts(["100.00"])
    many = counts(["100.00"] * 40)
    assert few == many
    assert few[0] <= 9
    assert OfferUse.objects.count() > 0
