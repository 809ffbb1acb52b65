"""Many tills at once on real connections; and the same with each guard taken away, seen to fail."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, transaction

from customers import services as customer_services
from marketing.core.errors import Conflict, DomainError
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
from marketing.coupons.services import counters, recounting, redemptions
from marketing.coupons.services.recounting import recount
from tests.concurrency import at_once, wait_for_me
from tests.factories.core import make_chain
from tests.factories.coupons import make_offer, reserve, sell, system
from tests.factories.customers import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 32


@pytest.fixture
def salon(monkeypatch):
    # A till asks again after "busy"; here it would only wait for its turn.
    monkeypatch.setattr("marketing.coupons.services.locks.PATIENCE", "30s")
    return make_chain()


@pytest.fixture
def counted(salon):
    """What each of so many tills at once got: its redemptions, or the refusal."""

    def tills(work, clients=CLIENTS):
        turns = iter(range(clients))
        lock = threading.Lock()

        def till():
            with lock:
                turn = next(turns)
            try:
                with tenant_scope(salon.tenant.pk):
                    return work(turn)
            except Busy:
                return None
            except DomainError as error:
                return error

        return at_once(clients, till)

    return tills


@pytest.fixture
def together(monkeypatch):
    """All tills have priced their bill before the first takes a counter."""

    def hold(clients=CLIENTS):
        barrier = threading.Barrier(clients)
        add = counters.add

        def meeting(changes, uses, what):
            uses = list(uses)
            if what in (counters.HOLD, counters.USE_AT_ONCE):
                barrier.wait(20)
            return add(changes, uses, what)

        monkeypatch.setattr(counters, "add", meeting)

    return hold


def without_guard(monkeypatch, name):
    monkeypatch.setattr(counters, name, "")


def sold(chain):
    with tenant_scope(chain.tenant.pk):
        return Redemption.objects.count()


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


def redeemed_by_all(salon, counted):
    with tenant_scope(salon.tenant.pk):
        make_offer(maxTotalUses=50)
        pk = reserve(salon.north).reservation.pk

    def redeem(turn):
        return services.redeem(actor=system(), reservation_id=pk, invoice_id="7")

    outcomes = counted(redeem)
    with tenant_scope(salon.tenant.pk):
        return outcomes, OfferUse.objects.get()


def test_same_reservation_is_redeemed_once(salon, counted):
    outcomes, use = redeemed_by_all(salon, counted)
    assert (use.used, use.reserved) == (1, 0)
    assert sold(salon) == 1
    assert sum(not each.repeated for each in outcomes) == 1
    assert len({row.pk for each in outcomes for row in each.redemptions}) == 1


def test_without_the_lock_on_its_row_it_is_answered_otherwise(salon, counted, monkeypatch):
    def unlocked(reservation_id, invoice_id):
        found = list(Reservation.objects.filter(pk=reservation_id))
        barrier.wait(20)
        return found

    barrier = threading.Barrier(CLIENTS)
    monkeypatch.setattr(redemptions, "_find", unlocked)
    outcomes, _use = redeemed_by_all(salon, counted)
    assert not all(isinstance(each, services.Redeemed) for each in outcomes)


def test_same_invoice_by_different_reservations_counts_once(salon, counted):
    with tenant_scope(salon.tenant.pk):
        make_offer(maxTotalUses=50)
        tokens = [reserve(salon.north).reservation.pk for _ in range(8)]

    def redeem(turn):
        return services.redeem(actor=system(), reservation_id=tokens[turn], invoice_id="7")

    outcomes = counted(redeem, clients=8)
    assert sold(salon) == 1
    assert any(isinstance(each, services.Redeemed) for each in outcomes)


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
    move = counters._move

    def disordered(counter):
        kind, owner, part, period = counters_place(counter)
        return kind, owner * own.sign, part, period

    def one_by_one(table, changes):
        moved = {}
        for counter, change in changes.items():
            moved |= move(table, {counter: change})
            if not getattr(own, "met", False):
                own.met = True
                first.wait(20)
        return moved

    counters_place = counters._place
    monkeypatch.setattr(counters, "_place", disordered)
    monkeypatch.setattr(counters, "_move", one_by_one)

    def till(turn):
        own.sign = -1 if turn else 1
        return reserve(salon.north, codes=["AAA", "BBB"])

    outcomes = counted(till, clients=2)
    assert None in outcomes


def test_same_bill_is_reserved_once_by_two_at_once(salon, counted, together):
    with tenant_scope(salon.tenant.pk):
        offer = make_offer(maxTotalUses=50)
    counted(lambda turn: reserve(salon.north, key="bill"), clients=8)
    with tenant_scope(salon.tenant.pk):
        assert Reservation.objects.count() == 1
        use = OfferUse.objects.get(offer=offer)
        assert (use.used, use.reserved) == (0, 1)


def test_refund_by_two_at_once_comes_back_once(salon, counted):
    with tenant_scope(salon.tenant.pk):
        make_offer(maxTotalUses=50, budget="500")
        sell(salon.north, invoice_id="7")

    def refund(turn):
        return services.reverse(
            actor=system(),
            branch_id=salon.north.pk,
            invoice_id="7",
            operation=f"refund-{turn % 2}",
        )

    counted(refund, clients=8)
    with tenant_scope(salon.tenant.pk):
        use = OfferUse.objects.get()
        assert (use.used, use.spent) == (0, 0)
        assert Redemption.objects.get().returned == 1000


def test_sweep_beside_a_late_redemption(salon, counted, monkeypatch):
    import datetime as dt

    from marketing.core import clock

    with tenant_scope(salon.tenant.pk):
        make_offer(maxTotalUses=8)
        tokens = [reserve(salon.north).reservation.pk for _ in range(8)]
    later = clock.now() + dt.timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)

    def one(turn):
        if turn % 2:
            return services.expire_due()
        return services.redeem(
            actor=system(), reservation_id=tokens[turn // 2], invoice_id=str(turn)
        )

    counted(one, clients=16)
    with tenant_scope(salon.tenant.pk):
        while services.expire_due():
            pass
        use = OfferUse.objects.get()
        assert (use.used, use.reserved) == (8, 0)
        assert Redemption.objects.count() == 8


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


def merged_beside_a_bill(salon, step):
    """What her counter says, and what the rows do, after a merge beside that step of a bill."""
    with tenant_scope(salon.tenant.pk):
        offer = make_offer(maxUsesPerCustomer=9)
        asha, usha = CustomerFactory(), CustomerFactory()
        token = reserve(salon.north, customer=usha, key="bill").reservation.pk
        if step == "reverse":
            services.redeem(actor=system(), reservation_id=token, invoice_id="7")
    said = {
        "redeem": lambda: services.redeem(actor=system(), reservation_id=token, invoice_id="7"),
        "release": lambda: services.release(actor=system(), reservation_id=token),
        "reserve": lambda: reserve(salon.north, customer=usha, key="bill"),
        "reverse": lambda: services.reverse(
            actor=system(), branch_id=salon.north.pk, invoice_id="7", operation="void"
        ),
    }

    def till():
        with tenant_scope(salon.tenant.pk):
            said[step]()

    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(salon.tenant.pk):
            customer_services.merge_customers(actor=system(), keep=asha, other=usha, choices={})
            future = wait_for_me(till, pool)
        future.result()
    with tenant_scope(salon.tenant.pk):
        told = list(CustomerUse.objects.filter(n__gt=0).values_list("customer", "n"))
        recount([offer.pk])
        return told, list(CustomerUse.objects.values_list("customer", "n"))


@pytest.mark.parametrize("step", ["redeem", "release", "reserve", "reverse"])
def test_merge_beside_a_bill_keeps_the_count(salon, step):
    told, counted_anew = merged_beside_a_bill(salon, step)
    assert told == counted_anew


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

    def merge():
        with tenant_scope(salon.tenant.pk):
            customer_services.merge_customers(actor=system(), keep=asha, other=usha, choices={})

    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(salon.tenant.pk):
            services.update_offer(actor=system(), offer=offer, values={"maxUsesPerCustomer": 1})
            future = wait_for_me(merge, pool)
        future.result()
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
