"""Refunds, debts, policies and repeats, one by one; and what callers must not get away with."""

import datetime as dt

import pytest

from marketing.loyalty import selectors, services
from marketing.loyalty.errors import (
    NotEnoughPoints,
    NothingToReverse,
    PointsHoldOver,
)
from marketing.loyalty.models import (
    EarnRate,
    PointsAccount,
    PointsLot,
)
from marketing.loyalty.services import BillLine
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.factories.loyalty import bill, earn, hold, make_programme, make_tiers, spend, system
from tests.loyalty.ledger_words import A, B, C, give_back, points, refund, whole


def test_points_are_rounded_down_once_a_bill_and_frozen_by_line(asha, chain):
    make_programme(points_per_100="1.5")
    hair = ServiceFactory(category__name="Hair")
    spa = ServiceFactory(category__name="Spa")
    EarnRate.objects.create(category=spa.category, points_per_100=10)
    make_tiers(("Gold", 0, 20_000))
    earn(asha, 1)  # gives her the tier
    made = services.earn_points(
        actor=system(),
        customer=asha,
        source=A,
        lines=[
            BillLine("hair", 33_300, hair.pk, hair.category_id),
            BillLine("spa", 9_990, spa.pk, spa.category_id),
            BillLine("free", 0, spa.pk, spa.category_id),
        ],
    )
    # (333 × 1.5 + 99.90 × 10) / 100 × 2 = 29.97
    assert made.points == 29
    refund(B, A, {"hair": 33_300})
    assert points(asha) == 29 - 10
    refund(C, A)
    assert points(asha) == 0
    whole()


@pytest.mark.parametrize("parts", [[1, 1, 98], [98, 1, 1], [33, 33, 34], [100], [50, 50]])
def test_parts_of_a_refund_add_up_in_any_order(asha, parts):
    earn(asha, 7)
    services.earn_points(actor=system(), customer=asha, source=A, lines=[BillLine("1", 100)])
    before = points(asha)
    assert before == 8
    for number, part in enumerate(parts):
        refund(bill(f"refund {number}"), A, {"1": part})
    assert points(asha) == 7
    with pytest.raises(NothingToReverse):
        refund(B, A, {"1": 1})
    whole()


def test_what_was_used_already_is_owed_and_made_good_by_the_next_points(asha):
    earn(asha, 100, A)
    spend(asha, 80)
    refund(B, A)
    assert points(asha) == -80
    with pytest.raises(NotEnoughPoints):
        hold(asha, 1)
    earn(asha, 50)
    assert points(asha) == -30
    earn(asha, 50)
    assert points(asha) == 20
    assert PointsAccount.objects.get(customer=asha).owed == 0
    whole()


def test_a_debt_is_made_good_when_points_become_active(asha, go):
    earn(asha, 100, A)
    spend(asha, 100)
    refund(B, A)
    make_programme(pending_days=2)
    earn(asha, 30)
    earn(asha, 90)
    assert points(asha) == -100
    go("2026-06-17")
    assert points(asha) == 20
    services.activate_due()
    assert points(asha) == 20
    assert PointsAccount.objects.get(customer=asha).owed == 0
    whole()


@pytest.mark.parametrize(
    ("policy", "left"), [("only_pending", 20), ("within_balance", 0), ("unlimited", -80)]
)
def test_the_policy_says_how_far_a_refund_goes(asha, policy, left):
    make_programme(negative_policy=policy)
    earn(asha, 100, A)
    spend(asha, 80)
    refund(B, A)
    assert points(asha) == left
    whole()


def test_points_that_are_not_active_yet_go_under_every_policy(asha):
    make_programme(negative_policy="only_pending", pending_days=5)
    earn(asha, 100, A)
    refund(B, A, {"1": 4_000})
    assert selectors.balance(asha.pk).pending == 60
    whole()


def test_what_expired_is_not_asked_for_again(asha, go):
    make_programme(expiry_months=1)
    earn(asha, 100, A)
    spend(asha, 40)
    go("2026-07-16")
    refund(B, A)
    assert points(asha) == -40
    whole()


def test_points_come_back_to_their_own_lots(asha, go):
    make_programme(expiry_months=2)
    go("2026-06-01")
    earn(asha, 30)
    go("2026-06-10")
    earn(asha, 30)
    spend(asha, 40, A)
    go("2026-07-20")
    give_back(B, A, 25)
    lots = PointsLot.objects.order_by("pk").values_list("remaining", "expires_on")
    # Those taken last come back first: ten of the second lot, then fifteen of the first.
    assert list(lots) == [(15, dt.date(2026, 8, 1)), (30, dt.date(2026, 8, 10))]
    give_back(C, A)
    assert points(asha) == 60
    whole()


@pytest.mark.parametrize(
    ("day", "left", "last"),
    [
        ("2026-07-15", 100, dt.date(2026, 7, 15)),
        ("2026-07-16", 100, dt.date(2026, 7, 22)),
        ("2026-07-22", 100, dt.date(2026, 7, 22)),
        ("2026-07-23", 0, dt.date(2026, 7, 15)),
    ],
)
def test_points_of_a_lot_that_is_over_come_back_expired_but_for_the_grace(
    asha, go, day, left, last
):
    make_programme(expiry_months=1)
    earn(asha, 100)
    spend(asha, 100, A)
    go(day)
    give_back(B, A)
    assert points(asha) == left
    assert PointsLot.objects.get().expires_on == last
    whole()
    go("2026-07-23")
    services.expire_due()
    assert points(asha) == 0
    assert selectors.liability().points == 0
    whole()


def test_both_refunds_of_a_bill_leave_nothing_in_either_order(asha, go):
    make_programme(expiry_months=1)
    other = CustomerFactory()
    for customer, first in ((asha, "earn"), (other, "spend")):
        go("2026-06-15")
        earned, used = bill(), bill()
        earn(customer, 100, earned)
        spend(customer, 100, used)
        go("2026-08-15")
        if first == "earn":
            refund(bill(), earned)
            give_back(bill(), used)
        else:
            give_back(bill(), used)
            refund(bill(), earned)
        assert points(customer) == 0
    whole()


def test_part_of_a_hold_may_be_used(asha, go):
    make_programme(expiry_months=1)
    earn(asha, 30)
    go("2026-06-20")
    earn(asha, 30)
    held = hold(asha, 50, A)
    services.post_hold(actor=system(), hold=held, source=A, points=20)
    assert points(asha) == 40
    assert list(PointsLot.objects.order_by("pk").values_list("remaining", flat=True)) == [10, 30]
    give_back(B, A)
    assert points(asha) == 60
    whole()


def test_held_points_do_not_expire_under_the_counters_hands(asha, go):
    make_programme(expiry_months=0)
    earn(asha, 100)
    go("2026-06-15", "23:55")
    held = hold(asha, 60, A)
    go("2026-06-16", "00:04")
    services.expire_due()
    services.post_hold(actor=system(), hold=held, source=A)
    assert points(asha) == 0
    assert selectors.liability().redeemed == 60
    whole()


def test_a_hold_is_renewed_for_half_an_hour_at_most(asha, noon):
    earn(asha, 100)
    held = hold(asha, 60)
    for _turn in range(3):
        noon.shift(dt.timedelta(minutes=9))
        held = services.renew_hold(actor=system(), hold=held)
    assert held.expires_at == held.created_at + dt.timedelta(minutes=30)
    noon.shift(dt.timedelta(minutes=9))
    with pytest.raises(PointsHoldOver):
        services.renew_hold(actor=system(), hold=held)


def test_a_refund_takes_the_upgrade_back_but_not_what_was_had_before(asha, go):
    make_programme(tier_basis="spend")
    make_tiers(("Bronze", 0, 10_000), ("Silver", 10_000, 10_000), ("Gold", 50_000, 20_000))

    def tier():
        return PointsAccount.objects.select_related("tier").get(customer=asha).tier.name

    earn(asha, 100, A)
    assert tier() == "Silver"
    earn(asha, 900, B)
    assert tier() == "Gold"
    refund(C, B, {"1": 60_000})
    assert tier() == "Silver"
    refund(bill(), A)
    assert tier() == "Silver"


def test_a_refund_leaves_the_tier_that_was_had_though_it_is_no_longer_earned(asha):
    make_programme(tier_basis="spend")
    make_tiers(("Bronze", 0, 10_000), ("Silver", 10_000, 10_000), ("Gold", 50_000, 20_000))
    earn(asha, 100, A)
    earn(asha, 900, B)
    refund(bill(), A)
    refund(bill(), B)
    assert PointsAccount.objects.select_related("tier").get(customer=asha).tier.name == "Silver"


def test_days_count_by_the_clock_and_not_by_the_sweep(asha, go):
    make_programme(pending_days=1, expiry_months=1)
    earn(asha, 100)
    go("2026-06-16", "12:01")
    held = hold(asha, 30)
    go("2026-07-17", "00:00")
    with pytest.raises(NotEnoughPoints):
        hold(asha, 1)
    services.give_points(actor=system(), customer=asha, points=5, source=A, reason="x")
    assert (selectors.liability().expired, points(asha)) == (70, 5)
    assert services.void_hold(actor=system(), hold=held).state == "voided"
    whole()


def test_calendar_tiers_end_with_the_period(asha, go):
    make_programme(tier_basis="points", tier_window="calendar", tier_span="quarter")
    make_tiers(("Bronze", 0, 10_000), ("Silver", 100, 10_000))

    def tier():
        services.end_periods()
        return PointsAccount.objects.select_related("tier").get(customer=asha).tier.name

    go("2026-02-10")
    earn(asha, 150)
    go("2026-04-01", "00:00")
    assert tier() == "Silver"  # earned in the quarter that ended
    go("2026-06-30", "23:59")
    assert tier() == "Silver"
    go("2026-07-01", "00:00")
    assert tier() == "Bronze"
