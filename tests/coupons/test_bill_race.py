"""One bill by several at once: reserved, paid, let go, refunded, swept, merged; and unguarded."""

import datetime as dt
import threading

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet

from customers import services as customer_services
from customers.models import Customer
from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.core.tenancy import tenant_scope
from marketing.coupons import services
from marketing.coupons.errors import Busy, ReservationOver
from marketing.coupons.models import CustomerUse, OfferUse, Redemption, Reservation
from marketing.coupons.services import redemptions, reservations
from marketing.coupons.services.recounting import recount
from tests.concurrency import PATIENCE, beside
from tests.coupons.tills import CLIENTS, counted, salon, sold, together
from tests.factories.coupons import make_cart, make_offer, reserve, sell, system
from tests.factories.customers import CustomerFactory

__all__ = ["counted", "salon", "together"]

pytestmark = pytest.mark.django_db(transaction=True)


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
        barrier.wait(PATIENCE)
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


def two_windows(salon):
    with tenant_scope(salon.tenant.pk):
        make_offer(maxTotalUses=50, budget="500")
        reserve(salon.north, "10.00", key="bill")
    beside(
        salon,
        lambda: reserve(salon.north, "20.00", key="bill"),
        lambda: reserve(salon.north, "30.00", key="bill"),
    )


def test_a_bill_of_two_windows_holds_what_was_said_last(salon):
    two_windows(salon)
    with tenant_scope(salon.tenant.pk):
        use = OfferUse.objects.get()
        assert (use.reserved, use.held) == (1, 300)
        assert Reservation.objects.get().payable == 2700


def test_without_the_lock_on_the_bill_one_window_is_told_busy(salon, monkeypatch):
    unlocked = reservations.FIND.replace("FOR UPDATE", "")
    monkeypatch.setattr(reservations, "FIND", unlocked)
    with pytest.raises(Busy):
        two_windows(salon)


def redeemed_beside(salon, others):
    """What another is told of a reservation that is redeemed at this moment."""
    with tenant_scope(salon.tenant.pk):
        token, _other = (reserve(salon.north, key=key).reservation.pk for key in ("one", "two"))
        Reservation.objects.update(expires_at=clock.now())
    return beside(
        salon,
        lambda: services.redeem(actor=system(), reservation_id=token, invoice_id="7"),
        lambda: others(token),
    )


def released_beside(salon):
    with pytest.raises(DomainError) as refused:
        redeemed_beside(salon, lambda pk: services.release(actor=system(), reservation_id=pk))
    return refused.value


def test_what_is_paid_at_this_moment_is_not_let_go(salon):
    assert isinstance(released_beside(salon), ReservationOver)
    with tenant_scope(salon.tenant.pk):
        assert set(Reservation.objects.values_list("state", flat=True)) == {"redeemed", "reserved"}


def test_without_the_lock_on_its_row_only_the_check_of_its_table_keeps_it(salon, monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *_a, **_k: self.all())
    with pytest.raises(IntegrityError):
        released_beside(salon)


def test_the_sweep_waits_for_no_till(salon):
    """What is redeemed at this moment is left to that, the other expires at once."""
    assert redeemed_beside(salon, lambda pk: services.expire_due()) == (1, True)
    with tenant_scope(salon.tenant.pk):
        assert set(Reservation.objects.values_list("state", flat=True)) == {"redeemed", "expired"}


def pay(salon, customer):
    return services.redeem_bill(
        actor=system(),
        branch_id=salon.north.pk,
        customer_id=customer.pk,
        cart=make_cart(),
        invoice_id="8",
    )


STEPS = ["reserve", "reserve another", "pay at once"]


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
        "reserve another": lambda: reserve(salon.north, customer=usha),
        "pay at once": lambda: pay(salon, usha),
        "reverse": lambda: services.reverse(
            actor=system(), branch_id=salon.north.pk, invoice_id="7", operation="void"
        ),
    }

    beside(
        salon,
        lambda: customer_services.merge_customers(
            actor=system(), keep=asha, other=usha, choices={}
        ),
        said[step],
    )
    with tenant_scope(salon.tenant.pk):
        assert not Reservation.objects.filter(customer=usha).exists()
        told = list(CustomerUse.objects.filter(n__gt=0).values_list("customer", "n"))
        recount([offer.pk])
        return told, list(CustomerUse.objects.values_list("customer", "n"))


@pytest.mark.parametrize("step", [*STEPS, "redeem", "release", "reverse"])
def test_merge_beside_a_bill_keeps_the_count(salon, step):
    told, counted_anew = merged_beside_a_bill(salon, step)
    assert told == counted_anew


@pytest.mark.parametrize("work", [lambda salon, her: reserve(salon.north, customer=her), pay])
def test_a_bill_of_who_was_merged_holds_who_stands_for_her(salon, work):
    with tenant_scope(salon.tenant.pk):
        asha, usha = CustomerFactory(), CustomerFactory()
        customer_services.merge_customers(actor=system(), keep=asha, other=usha, choices={})
    told = []
    _locked, was_at_once = beside(
        salon,
        lambda: told.append(work(salon, usha).reservation),
        lambda: Customer.objects.select_for_update().get(pk=asha.pk),
    )
    assert not was_at_once
    assert told[0].customer_id == asha.pk
