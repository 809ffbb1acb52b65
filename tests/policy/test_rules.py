"""Purposes, price categories and the hours at which messages may go."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.policy.rules import (
    leaves_indian_sms_hours,
    left_of,
    message_category,
    purpose_of,
    window_opens,
)

KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
NINE, ELEVEN_PM = dt.time(9), dt.time(23)


def local(text, zone=KOLKATA):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


def opens(
    now,
    start="09:00",
    end="21:00",
    *,
    purpose="promotional",
    channel="whatsapp",
    country="IN",
    zone="Asia/Kolkata",
):
    start, end = dt.time.fromisoformat(start), dt.time.fromisoformat(end)
    return window_opens(now, zone, start, end, purpose, channel, country)


@pytest.mark.parametrize(
    ("template_type", "trigger_type", "purpose"),
    [
        ("promotional", "", "promotional"),
        ("transactional", "", "transactional"),
        ("trigger", "post_visit_thank_you", "service"),
        ("trigger", "feedback_request", "service"),
        ("trigger", "package_expiry", "service"),
        ("trigger", "membership_expiry", "service"),
        ("trigger", "loyalty_points_earned", "service"),
        ("trigger", "rebooking_reminder", "promotional"),
        ("trigger", "miss_you", "promotional"),
        ("trigger", "first_visit_followup", "promotional"),
        ("trigger", "birthday_wish", "promotional"),
        ("trigger", "anniversary_wish", "promotional"),
        ("trigger", "loyalty_points_expiring", "promotional"),
        ("trigger", "", "promotional"),
    ],
)
def test_purpose_of_each_template_and_trigger(template_type, trigger_type, purpose):
    assert purpose_of(template_type, trigger_type) == purpose


def test_price_category_follows_the_purpose():
    assert [message_category(p) for p in ("promotional", "service", "transactional")] == [
        "marketing",
        "utility",
        "utility",
    ]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-07-15 08:59:59.999999", "2026-07-15 09:00"),
        ("2026-07-15 09:00", None),
        ("2026-07-15 20:59:59.999999", None),
        ("2026-07-15 21:00", "2026-07-16 09:00"),
        ("2026-07-15 00:00", "2026-07-15 09:00"),
        ("2026-12-31 23:30", "2027-01-01 09:00"),
    ],
)
def test_window_within_a_day(now, expected):
    assert opens(local(now)) == (expected and local(expected))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-07-15 17:59", "2026-07-15 18:00"),
        ("2026-07-15 18:00", None),
        ("2026-07-15 23:59", None),
        ("2026-07-16 00:00", None),
        ("2026-07-16 01:59", None),
        ("2026-07-16 02:00", "2026-07-16 18:00"),
    ],
)
def test_window_across_midnight(now, expected):
    assert opens(local(now), "18:00", "02:00") == (expected and local(expected))


def test_equal_times_mean_all_day():
    assert opens(local("2026-07-15 03:00"), "09:00", "09:00") is None


@pytest.mark.parametrize("purpose", ["promotional", "service"])
@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        (("09:00", "21:00"), "2026-07-15 09:30", "2026-07-15 10:00"),
        (("09:00", "21:00"), "2026-07-15 10:00", None),
        (("00:00", "00:00"), "2026-07-15 20:59", None),
        (("00:00", "00:00"), "2026-07-15 21:00", "2026-07-16 10:00"),
        (("12:00", "23:00"), "2026-07-15 21:30", "2026-07-16 12:00"),
        (("20:00", "06:00"), "2026-07-15 03:00", "2026-07-15 20:00"),
        (("20:00", "06:00"), "2026-07-15 21:00", "2026-07-16 20:00"),
        (("20:00", "11:00"), "2026-07-15 03:00", "2026-07-15 10:00"),
        (("20:00", "11:00"), "2026-07-15 11:00", "2026-07-15 20:00"),
    ],
)
def test_indian_sms_keeps_to_the_legal_hours_whatever_the_setting(purpose, window, now, expected):
    found = opens(local(now), *window, channel="sms", purpose=purpose)
    assert found == (expected and local(expected))


def test_the_legal_hours_are_for_sms_in_india_only():
    night = local("2026-07-15 22:00")
    assert opens(night, "00:00", "00:00", channel="whatsapp") is None
    assert opens(night, "00:00", "00:00", channel="sms", country="AE") is None
    assert opens(night, "00:00", "00:00", channel="sms", purpose="transactional") is None


def test_transactional_messages_have_no_window():
    assert opens(local("2026-07-15 03:00"), purpose="transactional") is None


def test_a_window_that_leaves_no_legal_hour_is_an_error():
    with pytest.raises(ValueError, match="no hour"):
        opens(local("2026-07-15 12:00"), "21:00", "06:00", channel="sms")
    assert not leaves_indian_sms_hours(dt.time(21), dt.time(6))
    assert not leaves_indian_sms_hours(dt.time(6), dt.time(10))
    assert leaves_indian_sms_hours(dt.time(6), dt.time(10, 1))
    assert leaves_indian_sms_hours(dt.time(20, 59), dt.time(6))
    assert leaves_indian_sms_hours(dt.time(3), dt.time(3))


@pytest.mark.parametrize(
    ("now_utc", "start", "end", "expected"),
    [
        # Clocks go forward on 8 March 2026 at 02:00: 02:30 does not exist.
        ("2026-03-08 06:30", "02:30", "20:00", "2026-03-08 07:30"),
        ("2026-03-08 06:30", "09:00", "21:00", "2026-03-08 13:00"),
        ("2026-03-07 23:00", "09:00", "18:00", "2026-03-08 13:00"),
        # They go back on 1 November 2026 at 02:00: 01:30 comes twice.
        ("2026-11-01 05:29", "01:30", "20:00", "2026-11-01 05:30"),
        ("2026-11-01 06:10", "01:30", "20:00", "2026-11-01 06:30"),
        ("2026-11-01 05:45", "01:30", "20:00", None),
        ("2026-11-01 06:45", "09:00", "21:00", "2026-11-01 14:00"),
    ],
)
def test_window_goes_by_the_wall_clock_when_it_is_put_forward_or_back(
    now_utc, start, end, expected
):
    found = opens(
        local(now_utc, dt.UTC), start, end, country="US", zone="America/New_York", channel="sms"
    )
    assert found == (expected and local(expected, dt.UTC))


times = st.times().map(lambda time: time.replace(second=0, microsecond=0))


@given(
    now=st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2027, 12, 31)),
    zone=st.sampled_from(["Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    start=times,
    end=times,
    channel=st.sampled_from(["sms", "whatsapp", "email"]),
)
def test_when_it_opens_it_is_open_and_it_is_soon(now, zone, start, end, channel):
    now = now.replace(tzinfo=dt.UTC)

    def ask(moment):
        return window_opens(moment, zone, start, end, "promotional", channel, "IN")

    if channel == "sms" and not leaves_indian_sms_hours(start, end):
        return
    opening = ask(now)
    if opening is not None:
        assert now < opening <= now + dt.timedelta(days=2)
        assert ask(opening) is None
        before = opening - dt.timedelta(seconds=1)
        is_gap = (
            before.astimezone(ZoneInfo(zone)).utcoffset()
            != opening.astimezone(ZoneInfo(zone)).utcoffset()
        )
        assert before < now or is_gap or ask(before) == opening


@pytest.mark.parametrize(
    ("limit", "used", "left"),
    [(None, "5", None), ("20", "5.25", "14.75"), ("20", "20", "0"), ("20", "31", "0")],
)
def test_what_is_left_of_a_limit(limit, used, left):
    found = left_of(limit and Decimal(limit), Decimal(used))
    assert found == (left and Decimal(left))
