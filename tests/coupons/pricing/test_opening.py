"""Windows on the branch's clock."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.coupons.pricing.opening import blackout_on, days_of, end_of, next_opening
from marketing.coupons.pricing.terms import DateSpan, HourWindow, Timetable, Weekday

FRIDAY_NIGHT = HourWindow(start=22 * 60, until=2 * 60, weekdays=frozenset({Weekday.FRIDAY}))
FRIDAY = dt.date(2026, 3, 6)
MINUTE = dt.timedelta(minutes=1)


def at(day, hour, minute=0):
    return dt.datetime(2026, 3, day, hour, minute)


@pytest.mark.parametrize(
    ("moment", "days"),
    [
        (at(6, 21, 59), []),
        (at(6, 22), [FRIDAY]),
        (at(7, 1, 59), [FRIDAY]),
        (at(7, 2), []),
        (at(6, 1), []),
    ],
)
def test_night_hours_count_to_the_day_they_began(moment, days):
    assert days_of([FRIDAY_NIGHT], moment) == days


def test_no_hours_is_all_day():
    assert days_of([], at(6, 3)) == [FRIDAY]


def test_last_day_is_included():
    assert end_of(dt.date(2026, 2, 28)) == dt.datetime(2026, 3, 1)


@pytest.mark.parametrize(
    ("timetable", "opens"),
    [
        (Timetable(), at(4, 10)),
        (Timetable(starts=at(5, 0)), at(5, 0)),
        (Timetable(ends=at(4, 10)), None),
        (Timetable(hours=(FRIDAY_NIGHT,)), at(6, 22)),
        (
            Timetable(hours=(FRIDAY_NIGHT,), blackouts=(DateSpan(first=FRIDAY, last=FRIDAY),)),
            at(13, 22),
        ),
        (Timetable(hours=(FRIDAY_NIGHT,), ends=at(6, 22)), None),
        (
            Timetable(blackouts=(DateSpan(first=dt.date(2026, 3, 1), last=dt.date(2026, 3, 9)),)),
            at(10, 0),
        ),
        (
            Timetable(blackouts=(DateSpan(first=dt.date(2026, 1, 1), last=dt.date(2036, 1, 1)),)),
            None,
        ),
    ],
)
def test_next_opening(timetable, opens):
    assert next_opening(timetable, at(4, 10)) == opens


windows = st.builds(
    HourWindow,
    start=st.integers(0, 1439),
    until=st.integers(1, 1440),
    weekdays=st.frozensets(st.sampled_from(Weekday), min_size=1),
)


@given(
    st.lists(windows, max_size=3).map(tuple),
    st.integers(0, 7 * 1440 - 1).map(lambda minutes: dt.datetime(2026, 3, 2) + minutes * MINUTE),
    st.integers(0, 10),
)
def test_it_is_open_when_it_says_it_opens_and_not_before(hours, moment, closed_days):
    blackout = DateSpan(first=moment.date(), last=moment.date() + closed_days * dt.timedelta(1))
    timetable = Timetable(hours=hours, blackouts=(blackout,))

    def is_open(moment):
        return any(not blackout_on((blackout,), day) for day in days_of(hours, moment))

    opens = next_opening(timetable, moment)
    assert opens is not None
    assert is_open(opens)
    if opens > moment:
        assert not is_open(moment)
        assert not is_open(opens - MINUTE)
