"""Limits beside 32 tills that speak HTTP (rows H01-H11), and without the limits' guards."""

import pytest
from django.db import connection
from django.test import Client

from marketing.core.tenancy import tenant_scope
from marketing.coupons.models import CouponCode, CustomerUse, OfferUse, Redemption, Reservation
from marketing.coupons.services import counters
from tests.billing_bridge.till import Refused, Till
from tests.concurrency import at_once
from tests.coupons.tills import CLIENTS, salon, together
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import make_programme

__all__ = ["salon", "together"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tills(salon):
    """One till at each of two branches."""
    with tenant_scope(salon.tenant.pk):
        made = [Till(salon, branch=branch) for branch in (salon.north, salon.south)]
        for till in made:
            till.service("cut")
        return made


def send(posts):
    """What each was answered, and the refusals; all are sent at the same moment."""
    connection.close()
    waiting = list(posts)

    def post():
        till, path, body = waiting.pop()
        try:
            return till.post(path, body, client=Client())
        except Refused as refused:
            return refused

    found = at_once(len(waiting), post)
    refusals = [each for each in found if isinstance(each, Refused)]
    return [each for each in found if not isinstance(each, Refused)], refusals


def reserving(tills, clients=CLIENTS, codes=lambda turn: [], **more):
    """Bills of different tills in turn."""
    return [
        (till, "reserve", till.body(key=f"bill-{turn}", codes=codes(turn), **more))
        for turn in range(clients)
        for till in [tills[turn % 2]]
    ]


def test_one_of_all_tills_gets_a_code_for_one(salon, tills, together):  # H01
    with tenant_scope(salon.tenant.pk):
        make_offer(code="ONCE")
        CouponCode.objects.update(max_uses=1)
        bills = reserving(tills, codes=lambda _turn: ["ONCE"])
    together()
    done, refused = send(bills)
    assert (len(done), len(refused)) == (1, CLIENTS - 1)
    assert {(each.status, each.code) for each in refused} == {(409, "MARKETING_032")}
    with tenant_scope(salon.tenant.pk):
        code = CouponCode.objects.get()
        assert (code.used, code.reserved, Reservation.objects.count()) == (0, 1, 1)


def last_of_ten(salon, tills, together):
    with tenant_scope(salon.tenant.pk):
        offer = make_offer(maxTotalUses=10)
        for _ in range(9):
            tills[0].reserve()
        bills = reserving(tills, clients=2)
    together(2)
    send(bills)
    with tenant_scope(salon.tenant.pk):
        return OfferUse.objects.get(offer=offer, branch=None).reserved


def test_two_want_the_last_of_ten(salon, tills, together):  # H03
    assert last_of_ten(salon, tills, together) == 10


def test_without_its_guard_both_get_the_last_of_ten(salon, tills, together, monkeypatch):  # H11
    monkeypatch.setattr(counters, "OFFER_WITHIN", "")
    assert last_of_ten(salon, tills, together) == 11


def hers_at_two_branches(salon, tills, together):
    with tenant_scope(salon.tenant.pk):
        make_offer(maxUsesPerCustomer=1)
        bills = reserving(tills, customer=CustomerFactory())
    together()
    send(bills)
    with tenant_scope(salon.tenant.pk):
        return CustomerUse.objects.get().n


def test_once_for_a_customer_at_two_branches(salon, tills, together):  # H05
    assert hers_at_two_branches(salon, tills, together) == 1


def test_without_its_guard_she_gets_it_again(salon, tills, together, monkeypatch):  # H11
    monkeypatch.setattr(counters, "CUSTOMER_WITHIN", "")
    assert hers_at_two_branches(salon, tills, together) > 1


def test_a_reservation_redeemed_by_all_is_counted_once(salon, tills):  # H07
    with tenant_scope(salon.tenant.pk):
        make_programme()
        make_offer(maxTotalUses=5)
        till, asha = tills[0], CustomerFactory()
        held = till.reserve(customer=asha)["reservation"]["id"]
    path = f"reservations/{held}/redeem"
    done, refused = send([(till, path, {"invoiceId": "17"})] * CLIENTS)
    assert len(done) + len(refused) == CLIENTS
    assert not refused
    assert all(each == done[0] for each in done)
    with tenant_scope(salon.tenant.pk):
        use = OfferUse.objects.get(branch=None)
        assert (use.used, use.reserved, Redemption.objects.count()) == (1, 0, 1)


def test_offers_in_opposite_order_do_not_lock_each_other_out(salon, tills, together):  # H09
    with tenant_scope(salon.tenant.pk):
        for code in ("AAA", "BBB"):
            make_offer(code=code, maxTotalUses=100)
        orders = [["AAA", "BBB"], ["BBB", "AAA"]]
        bills = reserving(tills, codes=lambda turn: orders[turn // 2 % 2])
    together()
    done, refused = send(bills)
    assert (len(done), refused) == (CLIENTS, [])
    with tenant_scope(salon.tenant.pk):
        uses = OfferUse.objects.filter(branch=None)
        assert [use.reserved for use in uses] == [CLIENTS, CLIENTS]
