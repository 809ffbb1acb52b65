"""`coupon.exhausted`: told once, with the bill that takes the last of an offer."""

import pytest
from django.db import transaction

from marketing.core.errors import DomainError
from marketing.core.models import DomainEvent
from marketing.coupons import services
from tests.factories.coupons import make_offer, reserve, sell, system
from tests.factories.customers import CustomerFactory


def told():
    rows = DomainEvent.objects.filter(name="coupon.exhausted").order_by("pk")
    return [row.payload["couponId"] for row in rows]


@pytest.mark.parametrize(
    "limits",
    [
        {"maxTotalUses": 2},
        {"budget": "20"},
        {"budget": "20", "maxTotalUses": 2},
        {"budget": "20", "maxTotalUses": 9, "maxUsesPerBranch": 9},
        {"budget": "15", "budgetPolicy": "partial"},
    ],
    ids=["count", "budget", "both at once", "budget before count", "the rest of a budget"],
)
def test_told_once_with_the_last(chain, limits):
    offer = make_offer(**limits)
    sell(chain.north, "100.00")
    assert told() == []
    last = sell(chain.north, "100.00", invoice_id="last")
    assert told() == [str(offer.pk)]
    services.redeem(actor=system(), reservation_id=last.reservation.pk, invoice_id="last")
    sell(chain.north, "100.00")
    assert told() == [str(offer.pk)]


def test_told_again_only_after_something_came_back(chain):
    offer = make_offer(budget="10")
    sell(chain.north, "100.00", invoice_id="a")
    services.reverse(actor=system(), branch_id=chain.north.pk, invoice_id="a", operation="refund:1")
    assert told() == [str(offer.pk)]
    sell(chain.north, "100.00")
    assert told() == [str(offer.pk)] * 2


def test_what_is_only_held_or_refused_or_has_no_end_is_not_told(chain):
    make_offer(budget="10", maxTotalUses=1)
    make_offer(name="Without end", maxUsesPerBranch=1)
    held = reserve(chain.north, "100.00", customer=CustomerFactory())
    assert told() == []
    services.release(actor=system(), reservation_id=held.reservation.pk)
    assert told() == []


def test_a_bill_that_is_rolled_back_tells_nothing(chain):
    make_offer(budget="10")

    with transaction.atomic():
        sell(chain.north, "100.00")
        assert len(told()) == 1
        transaction.set_rollback(True)
    assert told() == []


def test_of_two_offers_only_the_one_that_is_over_is_told(chain):
    over = make_offer(maxTotalUses=1)
    make_offer(budget="1000", maxTotalUses=5)
    with pytest.raises(DomainError):
        sell(chain.north, "100.00", codes=["NO-SUCH"])
    sell(chain.north, "100.00")
    assert told() == [str(over.pk)]
