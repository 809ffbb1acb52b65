"""Rows M and N of the offer vectors, as data: what happens by day, and what stands at the end."""

import datetime as dt

import pytest

from marketing.core.errors import ValidationFailed
from marketing.loyalty import rules, selectors, services
from marketing.loyalty.errors import NotEnoughPoints, PointsHoldOver
from marketing.loyalty.models import PointsAccount
from tests.factories.loyalty import bill, earn, hold, make_programme, make_tiers, spend, system
from tests.loyalty.conftest import at

A, B = bill("A"), bill("B")


def points(customer):
    return selectors.balance(customer.pk).points


def test_m01_a_hold_counts_at_once(asha):
    earn(asha, 100)
    spend(asha, 70)
    with pytest.raises(NotEnoughPoints) as refused:
        hold(asha, 50)
    assert refused.value.details == {"available": 30}
    assert points(asha) == 30


def test_m03_no_more_is_used_than_is_held(asha):
    earn(asha, 100)
    held = hold(asha, 50)
    with pytest.raises(ValidationFailed):
        services.post_hold(actor=system(), hold=held, source=A, points=60)
    assert points(asha) == 50
    assert selectors.balance(asha.pk).held == 50


# Row, months, pending days, rounding, when earned, and until when the points can be used.
LIVES = [
    ("M05", 1, 0, "none", "2026-01-31", "2026-02-28"),
    ("M07", 0, 0, "none", "2026-01-01", "2026-01-01"),
    ("M09", 1, 14, "none", "2026-01-01", "2026-02-15"),
    ("leap", 12, 0, "none", "2024-02-29", "2025-02-28"),
    ("month", 1, 0, "month", "2026-01-31", "2026-02-28"),
    ("quarter", 1, 0, "quarter", "2026-01-15", "2026-03-31"),
    ("half", 1, 0, "half_year", "2026-07-15", "2026-12-31"),
    ("year", 12, 0, "year", "2026-01-15", "2027-12-31"),
]


@pytest.mark.parametrize(
    ("months", "pending", "rounding", "earned", "last"),
    [row[1:] for row in LIVES],
    ids=[row[0] for row in LIVES],
)
def test_points_live_to_the_end_of_their_last_day(
    asha, go, months, pending, rounding, earned, last
):
    make_programme(expiry_months=months, pending_days=pending, expiry_rounding=rounding)
    go(earned)
    earn(asha, 100)
    assert (points(asha), selectors.balance(asha.pk).pending) == ((0, 100) if pending else (100, 0))
    go(last, "23:59")
    assert points(asha) == 100
    day_after = dt.date.fromisoformat(last) + rules.DAY
    go(day_after.isoformat(), "00:00")
    assert points(asha) == 0
    services.activate_due()
    services.expire_due()
    assert points(asha) == 0
    assert selectors.liability().points == 0


@pytest.mark.parametrize("row", ["M11", "M15"])
def test_a_refunded_bill_leaves_what_was_before(asha, row):
    earn(asha, 25)
    earn(asha, 60, A)
    services.reverse_earn(actor=system(), source=B, of=A)
    assert points(asha) == 25


def test_m13_used_and_earned_on_one_bill(asha):
    earn(asha, 59)
    spend(asha, 50, A)
    earn(asha, 56, A)
    assert points(asha) == 65


def test_m17_expiry_asks_for_no_label(asha, go):
    make_programme(expiry_months=1, signup_bonus=40)
    go("2026-01-10")
    earn(asha, 100)
    services.grant_bonus(actor=system(), customer=asha, bonus="signup", source=A)
    assert points(asha) == 140
    go("2026-02-11", "00:00")
    services.expire_due()
    assert points(asha) == 0


@pytest.fixture
def levels(asha):
    """A tier from 100 points on, which is kept for 30 days."""
    make_programme(tier_basis="points", tier_hold_days=30, tier_span="month")
    return make_tiers(("Bronze", 0, 10_000), ("Silver", 100, 10_000), ("Gold", 1_000, 20_000))


def tier(customer):
    services.end_periods()
    account = PointsAccount.objects.select_related("tier").get(customer=customer)
    return account.tier.name if account.tier else None


def test_n01_a_tier_is_kept_for_its_days_though_the_balance_falls(asha, go, levels):
    go("2026-07-20")
    earn(asha, 150)
    go("2026-07-25")
    spend(asha, 150)
    assert tier(asha) == "Silver"
    go("2026-08-19", "23:59")
    assert tier(asha) == "Silver"
    account = PointsAccount.objects.get(customer=asha)
    assert account.tier_until == at("2026-08-20", "00:00")


@pytest.mark.parametrize(("to_month_end", "last"), [(False, "2026-08-19"), (True, "2026-08-31")])
def test_n03_grace_goes_on_for_a_month(asha, go, levels, to_month_end, last):
    """The period ends on 20 July; without enough, Silver goes when the grace does."""
    make_programme(
        tier_basis="points",
        tier_hold_days=30,
        tier_span="month",
        tier_grace_months=1,
        tier_grace_to_month_end=to_month_end,
    )
    go("2026-06-19")
    earn(asha, 150)
    go("2026-07-20", "00:00")
    assert tier(asha) == "Silver"
    go(last, "23:59")
    assert tier(asha) == "Silver"
    go((dt.date.fromisoformat(last) + rules.DAY).isoformat(), "00:00")
    assert tier(asha) == "Bronze"


def test_n05_using_points_costs_no_tier(asha, go, levels):
    earn(asha, 150)
    spend(asha, 150)
    assert tier(asha) == "Silver"
    assert points(asha) == 0


def test_levels_go_one_at_a_time(asha, go, levels):
    go("2026-01-01")
    earn(asha, 2_000)
    assert tier(asha) == "Gold"
    # Swept late, it is one level all the same, and the next one has a whole period.
    go("2026-04-01")
    assert tier(asha) == "Silver"
    go("2026-04-30", "12:00")
    assert tier(asha) == "Silver"
    go("2026-05-02", "00:00")
    assert tier(asha) == "Bronze"


def test_a_hold_that_ran_out_cannot_be_used(asha, noon):
    earn(asha, 100)
    held = hold(asha, 100)
    noon.shift(dt.timedelta(minutes=10))
    with pytest.raises(PointsHoldOver):
        services.post_hold(actor=system(), hold=held, source=A)
    assert services.void_overdue_holds() == 1
    assert points(asha) == 100
