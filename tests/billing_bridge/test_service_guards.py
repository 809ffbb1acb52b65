"""What the services of bills refuse by themselves, whoever calls them, and how they count money."""

from decimal import Decimal

import pytest
from django.db.models import QuerySet

from billing_bridge.api.shapes import InvoiceInput
from billing_bridge.bills import read_bill
from billing_bridge.bodies import invoice_of
from billing_bridge.models import RawRow
from billing_bridge.services import replay_row, take_events
from billing_bridge.services.invoices import take_invoice
from billing_bridge.services.refunds import BillUnknown, refund_invoice, void_invoice
from customers.models import Customer, Purchase, PurchaseRefund
from customers.services import refund_purchase
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from marketing.core.tenancy import tenant_scope
from marketing.coupons import services as coupons
from marketing.coupons.models import Reservation, Reversal
from tests.billing_bridge.conftest import event
from tests.billing_bridge.till import Refused, Till
from tests.concurrency import beside
from tests.factories.core import make_chain
from tests.factories.coupons import system
from tests.factories.customers import CustomerFactory


def works(till, actor):
    """Each thing that may be done to a bill, by the actor."""
    form = InvoiceInput(data=till.invoice_body(invoice="18"))
    form.is_valid(raise_exception=True)
    data = form.validated_data
    invoice = invoice_of(read_bill(system(), data), data)
    named = {"actor": actor, "branch_id": till.branch.pk, "invoice_id": "17"}
    return {
        "invoice": lambda: take_invoice(actor=actor, invoice=invoice),
        "refund": lambda: refund_invoice(**named, refund_id="R1"),
        "void": lambda: void_invoice(**named),
    }


def of_the_south(chain):
    return Actor(
        tenant_id=chain.tenant.pk,
        label="south",
        permissions=frozenset({"coupon.redeem"}),
        branch_ids=frozenset({chain.south.pk}),
    )


def nothing_done():
    return not Reversal.objects.exists() and Reservation.objects.count() == 1


@pytest.mark.parametrize("what", ["invoice", "refund", "void"])
def test_who_may_not_does_nothing(chain, till, what):
    till.sell(invoice="17")
    nobody = Actor(tenant_id=chain.tenant.pk, label="nobody", permissions=frozenset())
    with pytest.raises(Forbidden):
        works(till, nobody)[what]()
    assert nothing_done()


@pytest.mark.parametrize(
    ("what", "refusal"),
    [("invoice", ValidationFailed), ("refund", BillUnknown), ("void", BillUnknown)],
)
def test_who_has_other_branches_finds_no_bill(chain, till, what, refusal):
    till.sell(invoice="17")
    with pytest.raises(refusal):
        works(till, of_the_south(chain))[what]()
    assert nothing_done()


@pytest.mark.parametrize("work", [coupons.renew, coupons.release])
def test_who_has_other_branches_finds_no_reservation(chain, till, work):
    held = till.reserve()["reservation"]["id"]
    with pytest.raises(NotFound):
        work(actor=of_the_south(chain), reservation_id=held)
    assert Reservation.objects.get().state == "reserved"


def test_who_may_not_reports_no_events(chain):
    nobody = Actor(tenant_id=chain.tenant.pk, label="nobody", permissions=frozenset())
    with pytest.raises(Forbidden):
        take_events(actor=nobody, events=[event("1")], where="a test")
    assert not Customer.objects.exists()


def test_what_was_forgotten_is_not_done_again(chain, till):
    with pytest.raises(Refused):
        till.post("invoices", till.body())
    RawRow.objects.update(forgotten_at=clock.now(), body=b"")
    with pytest.raises(Conflict):
        replay_row(actor=chain.actor(chain.owner), row_id=RawRow.objects.get().pk)
    assert RawRow.objects.get().tries == 1


@pytest.mark.parametrize(
    ("prices", "rounding", "amounts"),
    [
        (["33.33", "33.33", "33.33"], "0.01", ["33.33", "33.33", "33.34"]),
        (["50.20", "50.20"], "-0.40", ["50.20", "49.80"]),
        (["100.00", "0.20", "0.20"], "-0.40", ["100.00", "0.00", "0.00"]),
    ],
)
def test_what_was_rounded_comes_back_with_the_last_unit_and_no_more(
    till, prices, rounding, amounts
):
    total = f"{sum(map(Decimal, prices)) + Decimal(rounding):.2f}"
    till.sell(*prices, customer=CustomerFactory(), invoice="17", rounding=rounding, total=total)
    found = [
        till.refund("17", f"R{number}", {number: 1})["refund"]["amount"]
        for number in range(1, len(prices) + 1)
    ]
    assert found == amounts
    assert Purchase.objects.get().refunded == Decimal(total)


def refunded_beside():
    """A refund beside one that another part of the product has counted: what is counted in all."""
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        till = Till(chain)
        till.sell({"unitPrice": "100.00", "quantity": 3}, customer=CustomerFactory(), invoice="17")

    def counted():
        refund_purchase(
            actor=system(),
            purchase=Purchase.objects.get(),
            operation="elsewhere",
            lines={1: 1},
            amount=Decimal(100),
            refunded_at=clock.now(),
        )

    beside(chain, counted, lambda: till.refund("17", lines={1: 1}))
    with tenant_scope(chain.tenant.pk):
        assert PurchaseRefund.objects.count() == 2
        return Purchase.objects.get().refunded


@pytest.mark.django_db(transaction=True)
def test_a_refund_counts_from_what_is_counted_when_its_turn_comes():
    assert refunded_beside() == 200


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_of_the_purchase_one_would_be_forgotten(monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *_a, **_k: self.all())
    assert refunded_beside() == 100
