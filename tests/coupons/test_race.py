"""Limits beside many tills at once; and the same with each guard taken away, seen to fail."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction

from customers import services as customer_services
from marketing.core.errors import Conflict
from marketing.core.tenancy import tenant_scope
from marketing.coupons import services
from marketing.coupons.errors import Busy
from marketing.coupons.models import (
    CouponCode,
    CustomerUse,
    OfferUse,
    Redemption,
    Reservation,
)
from marketing.coupons.services import counters, recounting
from tests.concurrency import PATIENCE, beside, wait_for_me
from tests.coupons.tills import CLIENTS, counted, salon, sold, together
from tests.factories.coupons import make_offer, reserve, sell, system
from tests.factories.customers import CustomerFactory

__all__ = ["counted", "salon", "together"]

pytestmark = pytest.mark.django_db(transaction=True)


def without_guard(monkeypatch, name):
    monkeypatch.setattr(counters, name, "")


CASES = {
    # what is limited, how many may win
    "offer": ({"maxTotalUses": 1}, "OFFER_WITHIN"),
    "branch": ({"maxUsesPerBranch": 1}, "OFFER_WITHIN"),
    "budget": ({"budget": "10"}, "OFFER_WITHIN"),
    "customer": ({"maxUsesPerCustomer": 1}, "CUSTOMER_WITHIN"),
    "period": ({"maxUsesPerPeriod": 1, "usePeriod": "week"}, "CUSTOMER_WITHIN"),
    "code": ({"code": "ONCE"}, "CODE_WITHIN"),
}


def race(salon, counted, body):
    """How many of 32 bills got an offer that one may have."""
    with tenant_scope(salon.tenant.pk):
        make_offer(**body)
        CouponCode.objects.update(max_uses=1)
        she = CustomerFactory()
    codes = [body["code"]] if "code" in body else []
    counted(lambda turn: sell(salon.north, codes=codes, customer=she))
    return sold(salon)


@pytest.mark.parametrize("case", CASES)
def test_one_of_all_tills_gets_the_last_use(salon, counted, together, case):
    together()
    assert race(salon, counted, CASES[case][0]) == 1


def test_without_its_guard_a_code_meets_the_check_of_its_table(
    salon, counted, together, monkeypatch
):
    without_guard(monkeypatch, "CODE_WITHIN")
    together()
    with pytest.raises(IntegrityError):
        race(salon, counted, CASES["code"][0])


@pytest.mark.parametrize("case", [case for case in CASES if case != "code"])
def test_without_its_guard_more_do(salon, counted, together, monkeypatch, case):
    without_guard(monkeypatch, CASES[case][1])
    together()
    assert race(salon, counted, CASES[case][0]) > 1


def test_ten_uses_of_which_nine_are_gone(salon, counted, together):
    with tenant_scope(salon.tenant.pk):
        offer = make_offer(maxTotalUses=10)
        for _ in range(9):
            sell(salon.north)
    together(2)
    counted(lambda turn: sell(salon.north), clients=2)
    with tenant_scope(salon.tenant.pk):
        assert OfferUse.objects.get(offer=offer).used == 10
        assert OfferUse.objects.get(offer=offer).reserved == 0


def test_once_for_a_customer_at_two_branches(salon, counted, together):
    with tenant_scope(salon.tenant.pk):
        make_offer(maxUsesPerCustomer=1)
        she = CustomerFactory()
    branches = [salon.north, salon.south]
    together()
    counted(lambda turn: sell(branches[turn % 2], customer=she))
    assert sold(salon) == 1
    with tenant_scope(salon.tenant.pk):
        assert CustomerUse.objects.get().n == 1


def test_two_offers_in_opposite_order_do_not_lock_each_other_out(salon, counted, together):
    with tenant_scope(salon.tenant.pk):
        for code in ("AAA", "BBB"):
            make_offer(code=code, maxTotalUses=100)
    orders = [("AAA", "BBB"), ("BBB", "AAA")]
    together()
    outcomes = counted(lambda turn: sell(salon.north, codes=orders[turn % 2]))
    assert all(isinstance(each, services.Redeemed) for each in outcomes)
    with tenant_scope(salon.tenant.pk):
        assert {use.used for use in OfferUse.objects.all()} == {CLIENTS}


def test_without_an_order_of_counters_some_wait_in_a_circle(salon, counted, together, monkeypatch):
    """Each takes her counters in an order of her own, one only when all have taken one."""
    with tenant_scope(salon.tenant.pk):
        for code in ("AAA", "BBB"):
            make_offer(code=code, maxTotalUses=100)
    own = threading.local()
    first = threading.Barrier(2)
    ask_to_move = counters._ask_to_move

    def disordered(counter):
        kind, owner, part, period = counters_place(counter)
        return kind, owner * own.sign, part, period

    def one_by_one(table, changes):
        moved = []
        for place, (counter, change) in enumerate(changes.items(), 1):
            rows = ask_to_move(table, {counter: change}).rows
            moved += [(place, count) for _place, count in rows]
            if not getattr(own, "met", False):
                own.met = True
                first.wait(PATIENCE)
        return SimpleNamespace(rows=moved)

    counters_place = counters._place
    monkeypatch.setattr(counters, "_place", disordered)
    monkeypatch.setattr(counters, "_ask_to_move", one_by_one)

    def till(turn):
        own.sign = -1 if turn else 1
        return reserve(salon.north, codes=["AAA", "BBB"])

    outcomes = counted(till, clients=2)
    assert None in outcomes


def test_counters_that_are_given_back_are_locked_in_their_order(salon):
    with tenant_scope(salon.tenant.pk):
        offers = [make_offer(code=code, maxTotalUses=9) for code in ("AAA", "BBB")]
        # Their rows lie in the other order.
        for offer in reversed(offers):
            reserve(salon.north, codes=[offer.code])
        both = reserve(salon.north, codes=["AAA", "BBB"]).reservation.pk

    def release():
        with tenant_scope(salon.tenant.pk), connection.cursor() as cursor:
            # As of many counters, which are joined in the order in which they lie.
            cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off")
            services.release(actor=system(), reservation_id=both)

    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(salon.tenant.pk):
            uses = OfferUse.objects.select_for_update(nowait=True)
            uses.get(offer=offers[0])
            future = wait_for_me(release, pool)
            # Who waits for the first has not taken the second.
            assert uses.get(offer=offers[1]).reserved == 2
        future.result()


def test_a_till_that_waits_too_long_is_told_busy_and_nothing_is_done(salon, monkeypatch):
    monkeypatch.setattr("marketing.coupons.services.locks.PATIENCE", "50ms")
    with tenant_scope(salon.tenant.pk):
        offer = make_offer(maxTotalUses=50)
        sell(salon.north)
        reservations = Reservation.objects.count()

    def till():
        with tenant_scope(salon.tenant.pk):
            reserve(salon.north)

    with ThreadPoolExecutor(1) as pool, tenant_scope(salon.tenant.pk), transaction.atomic():
        OfferUse.objects.select_for_update().get(offer=offer)
        future = wait_for_me(till, pool)
        with pytest.raises(Busy) as refusal:
            future.result()
    assert refusal.value.http_status == 503
    with tenant_scope(salon.tenant.pk):
        assert Reservation.objects.count() == reservations
        assert OfferUse.objects.get().reserved == 0


def test_a_limit_set_beside_bills_counts_them_all(salon, counted):
    with tenant_scope(salon.tenant.pk):
        offer = make_offer()

    def one(turn):
        if turn == 4:
            return services.update_offer(
                actor=system(), offer=offer, values={"maxTotalUses": 100, "budget": "5000"}
            )
        return sell(salon.north)

    counted(one, clients=12)
    with tenant_scope(salon.tenant.pk):
        use = OfferUse.objects.get()
        assert (use.used, use.reserved, use.spent, use.held) == (
            Redemption.objects.count(),
            0,
            1000 * Redemption.objects.count(),
            0,
        )


def test_of_two_editors_one_is_told(salon, counted):
    with tenant_scope(salon.tenant.pk):
        offer = make_offer()
    values = [{"discountValue": "20"}, {"discountValue": "30"}]
    outcomes = counted(
        lambda turn: services.update_offer(
            actor=system(), offer=offer, values=values[turn], version=1
        ),
        clients=2,
    )
    assert sum(isinstance(each, Conflict) for each in outcomes) == 1


def merged_beside_a_new_limit(salon):
    """What the counters say, and what the rows do, after a merge beside a limit that is set."""
    with tenant_scope(salon.tenant.pk):
        offer = make_offer()
        asha, usha = CustomerFactory(), CustomerFactory()
        sell(salon.north, customer=usha)

    beside(
        salon,
        lambda: services.update_offer(
            actor=system(), offer=offer, values={"maxUsesPerCustomer": 1}
        ),
        lambda: customer_services.merge_customers(
            actor=system(), keep=asha, other=usha, choices={}
        ),
    )
    with tenant_scope(salon.tenant.pk):
        told = list(CustomerUse.objects.filter(n__gt=0).values_list("customer", "n"))
        return told, [(asha.pk, 1)]


def test_merge_beside_a_new_limit_keeps_the_count(salon):
    told, hers = merged_beside_a_new_limit(salon)
    assert told == hers


def test_without_the_lock_of_bills_a_merge_counts_for_who_is_gone(salon, monkeypatch):
    monkeypatch.setattr(recounting, "beside_bills", lambda: None)
    told, hers = merged_beside_a_new_limit(salon)
    assert told != hers
