"""Reasons in words, by their numbers."""

import datetime as dt

import pytest
from django.utils import translation

from marketing.coupons.pricing.reasons import ReasonCode, reason
from marketing.coupons.pricing.terms import EVERY_DAY, HourWindow
from marketing.coupons.wording.amounts import hours, share
from marketing.coupons.wording.reasons import reason_in_words


@pytest.mark.parametrize(
    ("code", "numbers", "one", "more"),
    [
        (ReasonCode.LIMIT_PERIOD, "n", "used it once in this period", "used it 2 times"),
        (ReasonCode.LIMIT_CUSTOMER, "n", "She has used it once", "used it 2 times"),
        (ReasonCode.LIMIT_BRANCH, "n", "The branch has used it once", "used it 2 times"),
        (ReasonCode.LIMIT_TOTAL, "n", "It has been used once", "used 2 times"),
        (ReasonCode.STACK_FULL, "limit", "One offer applies", "2 offers apply"),
        (ReasonCode.OUTSIDE_BEST, "limit", "Only the best offer is", "the best 2 offers are"),
        (ReasonCode.REFERRAL_LIMIT, "limit", "has brought one friend", "has brought 2 friends"),
        (ReasonCode.MIN_QUANTITY_SHORT, "short_by", "One more of its services is", "2 more of"),
    ],
)
def test_one_is_not_told_as_many(code, numbers, one, more):
    with translation.override("en"):
        assert one in reason_in_words(reason(code, **{numbers: 1}))
        assert more in reason_in_words(reason(code, **{numbers: 2}))


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("week", "She has used it once in this period, again from Sunday, 29 Nov"),
        ("year", "She has used it once in this period, again from 29 Nov 2026"),
    ],
)
def test_when_a_period_ends_is_said_in_the_branchs_time(period, said):
    # Still the day before in UTC, as in the chain's own zone.
    resets = dt.datetime(2026, 11, 29, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    why = reason(ReasonCode.LIMIT_PERIOD, n=1, limit=1, period=period, resets_at=resets)
    with translation.override("en"):
        assert reason_in_words(why) == said


@pytest.mark.parametrize(
    ("start", "until", "said"),
    [
        (660, 960, "every day 11:00 a.m.-4:00 p.m."),
        (1320, 1440, "every day 10:00 p.m.-12:00 a.m."),
        (0, 1440, "every day"),
    ],
)
def test_hours_are_said_as_times_are_elsewhere(start, until, said):
    with translation.override("en"):
        assert hours(HourWindow(weekdays=EVERY_DAY, start=start, until=until)) == said


def test_shares_are_said_as_elsewhere():
    assert [share(points) for points in (1750, 10_000, 1)] == ["17.5%", "100%", "0.01%"]
