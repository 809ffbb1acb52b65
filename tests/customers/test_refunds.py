"""Bills that come back: what is refused leaves nothing behind."""

from decimal import Decimal

import pytest

from customers.models import Purchase, PurchaseLine, PurchaseRefund
from customers.services import refund_purchase, void_purchase
from marketing.core import clock
from marketing.core.errors import Conflict
from tests.factories.coupons import system
from tests.factories.customers import PurchaseFactory


@pytest.fixture
def bill(chain):
    bill = PurchaseFactory(branch=chain.north)
    PurchaseLine.objects.filter(purchase=bill).update(number=1, quantity=2)
    return bill


def refund(bill, units=1, amount=500, operation="r"):
    return refund_purchase(
        actor=system(),
        purchase=Purchase.objects.select_for_update().get(pk=bill.pk),
        operation=operation,
        lines={1: units},
        amount=Decimal(amount),
        refunded_at=clock.now(),
    )


def left(bill):
    line = PurchaseLine.objects.get(purchase=bill)
    bill.refresh_from_db()
    return line.quantity - line.refunded_quantity, bill.total - bill.refunded, bill.status


def test_the_same_again_is_counted_once_and_the_last_closes_the_bill(bill):
    for _ in range(2):
        refund(bill)
    assert left(bill) == (1, 500, "finalised")
    refund(bill, operation="rest")
    assert left(bill) == (0, 0, "refunded")


@pytest.mark.parametrize(("units", "amount"), [(2, 500), (1, 501)])
def test_more_than_is_left_is_refused(bill, units, amount):
    refund(bill)
    with pytest.raises(Conflict):
        refund(bill, units, amount, "more")
    assert left(bill) == (1, 500, "finalised")
    assert PurchaseRefund.objects.count() == 1


def test_of_a_voided_bill_nothing_comes_back(bill):
    void_purchase(actor=system(), purchase=bill)
    with pytest.raises(Conflict):
        refund(bill)
    assert left(bill) == (2, 1000, "void")
