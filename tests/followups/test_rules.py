"""Days and moments: a reminder belongs to its day, whatever clocks do."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.followups import rules
from marketing.followups.models import FollowupReminder

ZONES = ["Asia/Kolkata", "Europe/London", "America/New_York", "Africa/Cairo", "Asia/Kathmandu"]
days = st.dates(dt.date(2024, 1, 1), dt.date(2030, 12, 31))
zones = st.sampled_from(ZONES)


@given(days, st.none() | st.times().map(lambda t: t.replace(second=0, microsecond=0)), zones)
def test_the_moment_lies_in_its_day(day, time, zone):
    local = rules.due_at(day, time, zone).astimezone(ZoneInfo(zone))
    assert local.date() == day
    skipped = local.replace(tzinfo=None) != dt.datetime.combine(day, time or dt.time.min)
    if skipped:  # only where the clock went on, and never by more than it did
        assert local.replace(tzinfo=None) - dt.datetime.combine(
            day, time or dt.time.min
        ) == dt.timedelta(hours=1)


@given(days, zones, st.integers(0, 24 * 60 - 1))
def test_it_is_overdue_from_the_midnight_that_ends_its_day(day, zone, minute):
    ends = dt.datetime.combine(day + rules.DAY, dt.time.min, ZoneInfo(zone)).astimezone(dt.UTC)
    assert not rules.is_overdue("pending", day, ends - dt.timedelta(minutes=minute + 1), zone) or (
        minute >= 23 * 60
    )
    assert rules.is_overdue("pending", day, ends + dt.timedelta(minutes=minute), zone)
    assert not rules.is_overdue("completed", day, ends + dt.timedelta(minutes=minute), zone)


@pytest.mark.parametrize(
    ("day", "time", "expected"),
    [
        ("2026-03-29", "01:30", "2026-03-29T01:30"),  # an hour that London's clocks skip
        ("2026-10-25", "01:30", "2026-10-25T00:30"),  # one that comes twice: its first
        ("2026-06-15", None, "2026-06-14T23:00"),
    ],
)
def test_the_hours_of_a_change_of_clocks(day, time, expected):
    time = dt.time.fromisoformat(time) if time else None
    moment = rules.due_at(dt.date.fromisoformat(day), time, "Europe/London")
    assert moment == dt.datetime.fromisoformat(expected).replace(tzinfo=dt.UTC)


@given(days, zones, st.integers(1, 400), st.integers(0, 24 * 60 - 1))
def test_who_came_so_many_days_ago_has_not_stayed_away_longer(day, zone, away, minute):
    now = dt.datetime.combine(day, dt.time(12), ZoneInfo(zone)).astimezone(dt.UTC)
    since = rules.quiet_since(away, now, zone)
    last = rules.due_at(day - dt.timedelta(days=away), dt.time(minute // 60, minute % 60), zone)
    assert last >= since
    before = rules.due_at(
        day - dt.timedelta(days=away + 1), dt.time(minute // 60, minute % 60), zone
    )
    assert before < since


def test_every_state_is_left_as_the_table_says():
    states = set(FollowupReminder.Status.values)
    assert set(rules.TRANSITIONS) == states
    assert all(followers <= states for followers in rules.TRANSITIONS.values())
    assert rules.COMPLETED not in rules.TRANSITIONS[rules.DISMISSED]
