"""A bill from quote to refund, over HTTP."""

import datetime as dt
from decimal import Decimal

import pytest

from customers.facts import refresh_stale_facts
from customers.models import CustomerFacts, Purchase, Visit
from marketing.core import clock
from marketing.core.models import DomainEvent
from marketing.coupons.models import OfferUse, Reservation, Reversal
from marketing.loyalty import selectors as points_selectors
from marketing.referrals.models import Referral
from tests.billing_bridge.till import Refused, cents
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import earn, make_programme
from tests.factories.referrals import code_for
from tests.factories.referrals import make_programme as make_referrals


def balance(customer):
    return points_selectors.balance(customer.pk).points


def facts_of(customer):
    refresh_stale_facts()
    return CustomerFacts.objects.get(customer=customer)


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "not_kept"])
def test_a_bill_from_quote_to_refund(chain, till, settings, keeps):
    """Also behind a pool that keeps no prepared statements."""
    settings.KEEP_STATEMENTS = keeps
    make_programme(points_per_100=10)
    offer = make_offer(maxTotalUses=5)
    asha = CustomerFactory()
    earn(asha, 1000)
    assert balance(asha) == 100
    lines = [{"serviceId": "cut", "unitPrice": "600.00"}, {"serviceId": "spa", "unitPrice": "400"}]
    quoted = till.quote(*lines, customer=asha, points={"use": 50})
    assert quoted["quote"]["discount"] == "100.00"
    assert quoted["quote"]["payable"] == "850.00"
    assert (quoted["points"]["used"], quoted["points"]["wouldEarn"]) == (50, 85)
    reserved = till.reserve(
        *lines, customer=asha, points={"use": 50}, quoteHash=quoted["quote"]["quoteHash"]
    )
    assert balance(asha) == 50
    sold = till.sell(
        *lines,
        customer=asha,
        reserved=reserved,
        invoice="INV/1",
        payments=[{"method": "points", "amount": "50"}, {"method": "upi", "amount": "850"}],
    )
    assert till.status == 201
    assert sold["invoice"]["warnings"] == []
    assert sold["points"] == {"used": 50, "earned": 85}
    assert balance(asha) == 135
    purchase = Purchase.objects.get()
    assert (purchase.total, purchase.discount) == (Decimal("900.00"), Decimal("100.00"))
    assert facts_of(asha).total_spend == Decimal("900.00")
    part = till.refund("INV/1", lines={2: 1})
    assert part["refund"]["amount"] == "360.00"
    assert part["points"] == {"returned": 20, "paidBack": "20.00", "takenBack": 34}
    assert part["refund"]["money"] == "340.00"
    assert facts_of(asha).total_spend == Decimal("540.00")
    rest = till.refund("INV/1", "R2")
    assert rest["refund"]["amount"] == "540.00"
    assert balance(asha) == 100
    assert facts_of(asha).total_spend == 0
    assert Purchase.objects.get().status == Purchase.Status.REFUNDED
    assert OfferUse.objects.get(offer=offer).used == 0
    names = list(DomainEvent.objects.filter(name__startswith="invoice.").values_list("name"))
    assert names == [("invoice.finalized",), ("invoice.refunded",), ("invoice.refunded",)]


def test_a_bill_without_offers_earns_and_can_be_refunded(chain, till):
    make_programme()
    asha = CustomerFactory()
    sold = till.sell("250.00", customer=asha, invoice="17")
    assert sold["points"]["earned"] == 250
    assert sold["invoice"]["offers"] == []
    till.refund("17")
    assert balance(asha) == 0


def test_a_bill_of_nobody_known_is_redeemed_and_refunded(chain, till):
    offer = make_offer(maxTotalUses=1)
    reserved = till.reserve("100.00")
    sold = till.sell("100.00", reserved=reserved, invoice="17")
    assert (sold["invoice"]["purchaseId"], sold["invoice"]["total"]) == (None, "90.00")
    assert till.refund("17")["refund"]["money"] == "90.00"
    assert OfferUse.objects.get(offer=offer).used == 0


def test_void_takes_bill_and_visit_back(chain, till):
    asha = CustomerFactory()
    till.sell(customer=asha, invoice="17")
    assert facts_of(asha).visit_count == 1
    first, again = till.void("17"), till.void("17")
    assert first == again
    assert first["refund"]["amount"] == "100.00"
    assert facts_of(asha).visit_count == 0
    assert not Visit.objects.exists()
    assert Purchase.objects.get().status == Purchase.Status.VOID
    with pytest.raises(Refused) as refused:
        till.refund("17", lines={1: 1})
    assert refused.value.status == 409


def test_a_void_after_all_came_back_is_noted(chain, till):
    asha = CustomerFactory()
    till.redeem(till.reserve(customer=asha)["reservation"], "17")
    first = till.refund("17", "R1")
    voided = [till.void("17")["refund"] for _twice in range(2)]
    assert [(each["amount"], each["refundId"]) for each in voided] == [("0.00", None)] * 2
    assert till.refund("17", "R1") == first
    with pytest.raises(Refused) as refused:
        till.refund("17", "R2")
    assert (refused.value.status, "voided" in refused.value.error["message"]) == (409, True)
    # Its invoice comes late: neither the bill nor its visit counts.
    till.sell(customer=asha, invoice="17")
    assert Purchase.objects.get().status == Purchase.Status.VOID
    assert facts_of(asha).visit_count == 0
    assert [each.operation for each in Reversal.objects.order_by("pk")] == ["refund:R1", "void"]


@pytest.mark.parametrize("kind", ["plain", "reserved", "asked", "named_later"])
def test_what_a_wallet_pays_earns_nothing(chain, till, kind):
    make_programme(points_per_100=10)
    asha = CustomerFactory()
    body = {
        "customer": asha,
        "invoice": "W",
        "payments": [
            {"method": "Wallet", "amount": "600.00"},
            {"method": "cash", "amount": "400.00"},
        ],
    }
    lines = ({"unitPrice": "500.00", "quantity": 2},)
    if kind == "reserved":
        body["reserved"] = till.reserve(*lines, customer=asha)
    if kind == "asked":
        body["points"] = {"use": "max"}
    if kind == "named_later":
        till.sell(*lines, **body | {"customer": None})
    till.sell(*lines, **body)
    assert balance(asha) == 40
    till.refund("W", lines={1: 1})
    assert balance(asha) == 20
    till.refund("W", "R2")
    assert balance(asha) == 0


def test_who_brought_her_loses_nothing_by_a_bill_rung_up_wrongly(chain, till):
    bela = CustomerFactory()
    code = [code_for(CustomerFactory())]
    till.sell("1000.00", customer=bela, codes=code, invoice="W1")
    till.void("W1")
    till.sell("1200.00", customer=bela, codes=code, invoice="W2")
    assert sorted(Referral.objects.values_list("state", "bill_invoice")) == [
        ("expired", "W1"),
        ("held", "W2"),
    ]


@pytest.mark.parametrize(
    ("settings", "line", "use", "money"),
    [
        ({}, {"unitPrice": "0.50", "quantity": 4}, 2, "0.00"),
        ({}, {"unitPrice": "333.34", "quantity": 3}, 1000, "0.02"),
        ({"point_value_paise": 100_00}, {"unitPrice": "50.00", "quantity": 4}, 1, "100.00"),
    ],
)
@pytest.mark.parametrize("is_backwards", [False, True])
def test_no_more_money_comes_back_than_was_paid(
    chain, till, settings, line, use, money, is_backwards
):
    """Units that cost less than a point, or no whole points."""
    make_programme()
    asha = CustomerFactory()
    earn(asha, use)
    make_programme(points_per_100=0, **settings)
    lines = [{**line, "quantity": 1}] * line["quantity"]
    till.sell(*lines, customer=asha, points={"use": use}, invoice="17")
    numbers = range(1, line["quantity"] + 1)
    told = [
        till.refund("17", f"R{number}", {number: 1})["refund"]
        for number in (reversed(numbers) if is_backwards else numbers)
    ]
    assert all(0 <= cents(each["money"]) <= cents(each["amount"]) for each in told)
    assert (sum(cents(each["money"]) for each in told), balance(asha)) == (cents(money), use)


@pytest.mark.parametrize(
    ("reward_on", "first"), [("first_paid_visit", "400.00"), ("second_visit", "1000.00")]
)
@pytest.mark.parametrize("is_reserved", [True, False])
def test_the_bill_that_brought_her_makes_her_no_old_customer(
    chain, till, reward_on, first, is_reserved
):
    make_referrals(reward_on=reward_on)
    bela, codes = CustomerFactory(), [code_for(CustomerFactory())]
    reserved = till.reserve(first, customer=bela, codes=codes) if is_reserved else None
    late = {"finalizedAt": (clock.now() - dt.timedelta(minutes=5)).isoformat()}
    till.sell(first, customer=bela, reserved=reserved, codes=codes, **late)
    assert Referral.objects.get().state == "attributed"
    till.sell("1000.00", customer=bela)
    assert Referral.objects.get().state == "held"


def test_refund_before_the_bill_says_what_to_do(chain, till):
    with pytest.raises(Refused) as refused:
        till.refund("17")
    assert (refused.value.status, refused.value.code) == (404, "MARKETING_404")
    assert refused.value.details == {"invoiceId": "17", "post": "billing/invoices"}
    assert not Reservation.objects.exists()


@pytest.mark.parametrize("points_as", ["tender", "discount"])
def test_money_back_is_what_she_paid(chain, till, points_as):
    make_programme(points_as=points_as)
    asha = CustomerFactory()
    earn(asha, 30)
    asked = {"customer": asha, "points": {"use": 30}}
    line = {"unitPrice": "50.00", "quantity": 2}
    body = till.invoice_body(line, customer=asha, reserved=till.reserve(line, **asked))
    till.post("invoices", body)
    refunds = [till.refund(body["invoiceId"], f"R{n}", {1: 1}) for n in (1, 2)]
    money = [cents(refund["refund"]["money"]) for refund in refunds]
    assert (sum(money), balance(asha)) == (70_00, 30)


def test_a_rounded_bill_of_nobody_known_comes_back_as_it_was_paid(chain, till):
    line = {"unitPrice": "33.20", "quantity": 3}
    body = till.invoice_body(line, invoice="17", rounding="0.40", total="100.00")
    assert till.post("invoices", body)["invoice"]["total"] == "100.00"
    assert till.post("invoices", body)["invoice"]["total"] == "100.00"
    with pytest.raises(Refused) as refused:
        till.post("invoices", body | {"rounding": "-0.60", "total": "99.00"})
    assert (refused.value.status, list(refused.value.fields)) == (422, ["total"])
    first = till.refund("17", "R1", {1: 1})
    rest = till.refund("17", "R2")
    assert [each["refund"]["amount"] for each in (first, rest)] == ["33.20", "66.80"]
    assert (till.refund("17", "R1", {1: 1}), till.refund("17", "R3")) == (first, rest)
    assert till.void("17")["refund"]["amount"] == "0.00"
