"""What comes back of a bill: parts, all of it, twice, too much."""

import pytest
from django.db.models import F

from marketing.core.errors import IdempotencyMismatch, NotFound, ValidationFailed
from marketing.coupons import services
from marketing.coupons.errors import MoreThanSold
from marketing.coupons.models import OfferUse, Redemption, Reversal
from tests.coupons.tills import counts
from tests.factories.coupons import make_offer, sell, system


def test_parts_come_back_by_their_frozen_amounts(chain):
    offer = make_offer(maxTotalUses=1, budget="100")
    sell(chain.north, "6.00", "4.00", invoice_id="7")
    services.update_offer(actor=system(), offer=offer, values={"discountValue": "50"})
    back = services.reverse(
        actor=system(),
        branch_id=chain.north.pk,
        invoice_id="7",
        operation="refund-1",
        lines={1: 1},
    )
    assert back.given_back == {str(offer.pk): 60}
    assert counts(offer) == (1, 0, 40, 0)
    assert Redemption.objects.get().state == "part_reversed"
    services.reverse(actor=system(), branch_id=chain.north.pk, invoice_id="7", operation="refund-2")
    assert Redemption.objects.get().state == "reversed"
    assert counts(offer) == (0, 0, 0, 0)


def test_reversing_twice_is_the_same_answer(chain):
    make_offer(maxTotalUses=1)
    sell(chain.north, invoice_id="7")
    said = {"actor": system(), "branch_id": chain.north.pk, "invoice_id": "7"}
    first = services.reverse(**said, operation="void")
    assert services.reverse(**said, operation="void").pk == first.pk
    assert services.reverse(**said, operation="again").pk == first.pk
    with pytest.raises(IdempotencyMismatch):
        services.reverse(**said, operation="void", lines={1: 1})
    assert OfferUse.objects.get().used == 0


def test_no_more_than_was_sold_comes_back(chain):
    make_offer()
    sell(chain.north, {"unitPrice": "20.00", "quantity": 3}, invoice_id="7")
    said = {"actor": system(), "branch_id": chain.north.pk, "invoice_id": "7"}
    services.reverse(**said, operation="1", lines={1: 2})
    for lines in ({1: 2}, {2: 1}):
        with pytest.raises(MoreThanSold):
            services.reverse(**said, operation="2", lines=lines)
    for lines in ({1: 0}, {1: -1}, {}):
        with pytest.raises(ValidationFailed):
            services.reverse(**said, operation="2", lines=lines)
    with pytest.raises(NotFound):
        services.reverse(**{**said, "invoice_id": "8"}, operation="2")
    assert Redemption.objects.get().returned == 400


def test_what_came_back_otherwise_does_not_come_back_again(chain):
    make_offer()
    sell(chain.north, invoice_id="7")
    Redemption.objects.update(returned=F("amount"))
    with pytest.raises(MoreThanSold):
        services.reverse(
            actor=system(), branch_id=chain.north.pk, invoice_id="7", operation="refund"
        )
    assert not Reversal.objects.exists()


def test_use_stays_where_the_offer_is_had_once_only(chain):
    offer = make_offer(maxTotalUses=1, reusableAfterCancel=False)
    sell(chain.north, invoice_id="7")
    services.reverse(actor=system(), branch_id=chain.north.pk, invoice_id="7", operation="void")
    assert counts(offer) == (1, 0, 0, 0)
    assert not sell(chain.north).redemptions
