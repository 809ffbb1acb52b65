"""A bill that came without its customer, and once more with her."""

import pytest

from customers.models import Purchase, Visit
from marketing.coupons.models import OfferUse, Redemption, Reservation
from marketing.loyalty.models import PointsTransaction
from marketing.loyalty.selectors import balance
from marketing.referrals.models import Referral
from tests.billing_bridge.till import Refused, Till
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import make_programme
from tests.factories.referrals import bring
from tests.factories.referrals import make_programme as make_referrals


@pytest.fixture
def till(chain):
    make_programme(points_per_100=10)
    return Till(chain)


def codes(answer):
    return [each["code"] for each in answer["invoice"]["warnings"]]


def test_points_and_visit_follow_once_with_a_warning(chain, till):
    asha = CustomerFactory(home_branch=chain.north)
    first = till.sell("900.00", invoice="17")
    assert (first["invoice"]["purchaseId"], first["invoice"]["customerId"]) == (None, None)
    named = till.sell("900.00", invoice="17", customer=asha)
    assert codes(named) == ["customer_added"]
    assert named["invoice"]["customerId"] == str(asha.pk)
    assert named["points"]["earned"] == 90
    for customer in (asha, None):
        again = till.sell("900.00", invoice="17", customer=customer)
        assert (again["invoice"], till.status) == (named["invoice"], 200)
    assert balance(asha.pk).points == 90
    assert Purchase.objects.count() == Visit.objects.count() == Reservation.objects.count() == 1
    till.refund("17")
    assert balance(asha.pk).points == 0


def test_she_who_was_brought_is_converted(chain, till):
    make_referrals()
    asha, bela = CustomerFactory.create_batch(2, home_branch=chain.north)
    bring(asha, bela, chain.north)
    till.sell("900.00", invoice="17")
    till.sell("900.00", invoice="17", customer=bela)
    assert Referral.objects.get().bill_invoice == "17"
    assert Referral.objects.get().state == "held"


def test_what_offers_gave_stays_and_is_counted_once(chain, till):
    make_offer(maxTotalUses=5, maxUsesPerCustomer=None)
    asha = CustomerFactory(home_branch=chain.north)
    body = till.invoice_body(reserved=till.reserve(), invoice="17")
    offers = till.post("invoices", body)["invoice"]["offers"]
    named = till.post("invoices", body | {"customerId": str(asha.pk)})
    assert named["invoice"]["offers"] == offers
    assert (OfferUse.objects.get().used, Redemption.objects.count()) == (1, 1)
    assert Purchase.objects.get().total == 90


def test_a_paid_reservation_of_nobody_is_hers_when_the_invoice_names_her(chain, till):
    asha = CustomerFactory(home_branch=chain.north)
    till.redeem(till.reserve("900.00")["reservation"], "17")
    named = till.sell("900.00", invoice="17", customer=asha)
    assert codes(named) == ["customer_added"]
    assert balance(asha.pk).points == 90


@pytest.mark.parametrize("case", ["another customer", "another total", "came back"])
def test_what_cannot_be_hers_is_refused_and_leaves_all_as_it_was(chain, till, case):
    asha, other = CustomerFactory.create_batch(2, home_branch=chain.north)
    till.sell("900.00", invoice="17")
    more, field = {"customer": asha}, "customerId"
    if case == "another customer":
        till.sell("900.00", invoice="17", customer=other)
    elif case == "another total":
        more, field = more | {"rounding": "0.50", "total": "900.50"}, "total"
    else:
        till.refund("17")
    before = (Purchase.objects.count(), PointsTransaction.objects.count())
    with pytest.raises(Refused) as refusal:
        till.sell("900.00", invoice="17", **more)
    assert (refusal.value.status, list(refusal.value.fields)) == (422, [field])
    assert (Purchase.objects.count(), PointsTransaction.objects.count()) == before
    assert balance(asha.pk).points == 0
