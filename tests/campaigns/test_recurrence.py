"""When a recurring campaign goes: the rules, their ends, their skipped dates, and hostile ones."""

import datetime as dt
from dataclasses import replace
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing.campaigns import recurrence
from marketing.campaigns.recurrence import Fault, RecurrenceError, Repetition, Silence

UTC = dt.UTC
JANUARY = dt.datetime(2026, 1, 1, tzinfo=UTC)
CLOCK = "BYHOUR=10;BYMINUTE=30;BYSECOND=0"
TOO_MANY_DAYS = ",".join(f"2026{n // 28 + 1:02}{n % 28 + 1:02}" for n in range(101))


def local_dates(rule, number, *, start=JANUARY, after=None, zone="Asia/Kolkata"):
    """The first moments in the zone's own time."""
    found = recurrence.first_occurrences(rule, number, start=start, after=after or start, zone=zone)
    assert all(moment.utcoffset() == dt.timedelta(0) for moment in found)
    return [f"{moment.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("pattern", "day", "expected"),
    [
        ("daily", None, ["01-01 10:30", "01-02 10:30", "01-03 10:30"]),
        ("weekly", 0, ["01-04 10:30", "01-11 10:30", "01-18 10:30"]),
        ("weekly", 6, ["01-03 10:30", "01-10 10:30", "01-17 10:30"]),
        ("monthly", 5, ["01-05 10:30", "02-05 10:30", "03-05 10:30"]),
        ("monthly", 29, ["01-29 10:30", "02-28 10:30", "03-29 10:30"]),
        ("monthly", 30, ["01-30 10:30", "02-28 10:30", "03-30 10:30"]),
        ("monthly", 31, ["01-31 10:30", "02-28 10:30", "03-31 10:30"]),
    ],
)
def test_recurrence_of_module_11_in_local_time(pattern, day, expected):
    rule = recurrence.laid_over("", pattern, day, dt.time(10, 30))
    parts = {"pattern": pattern, "day": day, "time": dt.time(10, 30)}
    assert recurrence.recurrence_parts(rule) == parts
    assert local_dates(rule, 3) == expected


def test_the_last_day_of_february_in_a_leap_year():
    rule = recurrence.laid_over("", "monthly", 30, dt.time(10, 30))
    start = dt.datetime(2028, 2, 1, tzinfo=UTC)
    assert local_dates(rule, 2, start=start) == ["02-29 10:30", "03-30 10:30"]


@pytest.mark.parametrize(("pattern", "day"), [("weekly", 7), ("weekly", None), ("monthly", 0)])
def test_a_day_that_does_not_fit_its_pattern(pattern, day):
    with pytest.raises(ValueError, match="weekly"):
        recurrence.laid_over("", pattern, day, dt.time(10))


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("", Fault.UNREADABLE),
        ("every day", Fault.UNREADABLE),
        ("FREQ=YEARLY", Fault.UNREADABLE),
        ("FREQ=DAILY;BYHOUR", Fault.UNREADABLE),
        ("FREQ=DAILY;BYHOUR=99", Fault.UNREADABLE),
        ("FREQ=DAILY;BYHOUR=1_0", Fault.UNREADABLE),
        ("FREQ=DAILY;BYHOUR=१०", Fault.UNREADABLE),
        ("FREQ=DAILY;INTERVAL=0", Fault.UNREADABLE),
        ("FREQ=DAILY;INTERVAL=99999999999999999999", Fault.UNREADABLE),
        ("FREQ=DAILY;COUNT=0", Fault.UNREADABLE),
        ("FREQ=DAILY;COUNT=1;UNTIL=20300101", Fault.UNREADABLE),
        ("FREQ=DAILY;UNTIL=20301332", Fault.UNREADABLE),
        ("FREQ=DAILY;FREQ=WEEKLY", Fault.UNREADABLE),
        ("FREQ=DAILY;BYEASTER=1", Fault.UNREADABLE),
        ("FREQ=DAILY;BYWEEKNO=1", Fault.UNREADABLE),
        ("FREQ=WEEKLY;BYDAY=1MO", Fault.UNREADABLE),
        ("FREQ=WEEKLY;BYDAY=XX", Fault.UNREADABLE),
        ("FREQ=WEEKLY;BYMONTHDAY=3", Fault.UNREADABLE),
        ("FREQ=DAILY;BYSETPOS=2", Fault.UNREADABLE),
        ("FREQ=MONTHLY;BYMONTHDAY=0", Fault.UNREADABLE),
        ("FREQ=DAILY\nRDATE:20260101", Fault.UNREADABLE),
        ("FREQ=DAILY\nEXDATE:tomorrow", Fault.UNREADABLE),
        ("FREQ=DAILY\nEXDATE;TZID=Asia/Kolkata:20260101T100000", Fault.UNREADABLE),
        ("FREQ=SECONDLY", Fault.TOO_OFTEN),
        ("FREQ=MINUTELY;INTERVAL=30", Fault.TOO_OFTEN),
        ("FREQ=HOURLY;INTERVAL=240", Fault.TOO_OFTEN),
        ("FREQ=DAILY;BYHOUR=9,17", Fault.TOO_OFTEN),
        ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0,30", Fault.TOO_OFTEN),
        ("FREQ=DAILY;BYSECOND=0,1", Fault.TOO_OFTEN),
        ("FREQ=DAILY;" + "BYMONTH=1,2;" * 1000, Fault.TOO_LONG),
        (
            f"FREQ=DAILY\nEXDATE:{TOO_MANY_DAYS}",
            Fault.TOO_LONG,
        ),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_used(rule, fault):
    for use in (recurrence.canonical, lambda text: local_dates(text, 1)):
        with pytest.raises(RecurrenceError) as refusal:
            use(rule)
        assert refusal.value.fault is fault
    assert Repetition.of(rule) is None


def test_a_start_before_living_memory_is_refused():
    for year in (1, 1900, 2005):
        with pytest.raises(RecurrenceError) as refusal:
            local_dates("FREQ=DAILY", 1, start=dt.datetime(year, 1, 1, tzinfo=UTC), after=JANUARY)
        assert refusal.value.fault is Fault.TOO_OLD
    assert (
        local_dates("FREQ=DAILY", 1, start=dt.datetime(9999, 1, 1, tzinfo=UTC), after=JANUARY) == []
    )


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", Silence.NEVER),
        ("FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4,6,9,11", Silence.NEVER),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", Silence.NEVER),
        ("FREQ=DAILY;UNTIL=20200101T000000", Silence.OVER),
        ("FREQ=DAILY;UNTIL=20200101", Silence.OVER),
        (f"FREQ=DAILY;{CLOCK};COUNT=1\nEXDATE:20260101", None),
        (f"FREQ=DAILY;{CLOCK};UNTIL=20260102\nEXDATE:20260101,20260102", Silence.ALL_SKIPPED),
        (f"FREQ=DAILY;{CLOCK};UNTIL=20260102\nEXDATE:20260101", None),
    ],
)
def test_why_a_rule_gives_no_date(rule, why):
    where = {"start": JANUARY, "after": JANUARY, "zone": "Asia/Kolkata"}
    assert recurrence.silence(rule, **where) == why
    assert (recurrence.next_occurrence(rule, **where) is None) == (why is not None)


def test_a_number_of_times_that_passed_is_over():
    where = {"start": JANUARY, "after": JANUARY + dt.timedelta(days=9), "zone": "Asia/Kolkata"}
    assert recurrence.silence(f"FREQ=DAILY;{CLOCK};COUNT=3", **where) is Silence.OVER


def test_skipped_dates_do_not_count_as_times():
    rule = f"FREQ=WEEKLY;BYDAY=MO,TH;{CLOCK};COUNT=3\nEXDATE;VALUE=DATE:20260105,20260112"
    assert local_dates(rule, 9) == ["01-01 10:30", "01-08 10:30", "01-15 10:30"]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260103", "01-03 10:30"),
        ("20260103T103000", "01-03 10:30"),
        ("20260103T102959", "01-02 10:30"),
        ("20260103T050000Z", "01-03 10:30"),
        ("20260103T045959Z", "01-02 10:30"),
    ],
)
def test_the_end_is_in_local_time_and_includes_its_day(until, last):
    assert local_dates(f"FREQ=DAILY;{CLOCK};UNTIL={until}", 9)[-1] == last


@pytest.mark.parametrize(
    ("zone", "spring", "autumn"),
    [
        ("Europe/London", dt.date(2026, 3, 29), dt.date(2026, 10, 25)),
        ("America/New_York", dt.date(2026, 3, 8), dt.date(2026, 11, 1)),
    ],
)
def test_clock_time_stays_when_the_clocks_change(zone, spring, autumn):
    rule = f"FREQ=DAILY;{CLOCK}"
    for change in (spring, autumn):
        start = dt.datetime.combine(change - dt.timedelta(days=1), dt.time(), UTC)
        times = [text.split()[1] for text in local_dates(rule, 4, start=start, zone=zone)]
        assert times == ["10:30"] * 4


@pytest.mark.parametrize(
    ("zone", "hour", "expected"),
    [
        ("Europe/London", 1, ["03-28 01:30", "03-29 02:30", "03-30 01:30"]),
        ("America/New_York", 2, ["03-28 02:30", "03-29 02:30", "03-30 02:30"]),
    ],
)
def test_a_time_that_the_clocks_leave_out_comes_as_much_later(zone, hour, expected):
    rule = f"FREQ=DAILY;BYHOUR={hour};BYMINUTE=30;BYSECOND=0"
    start = dt.datetime(2026, 3, 28, tzinfo=ZoneInfo(zone))
    assert local_dates(rule, 3, start=start, zone=zone) == expected


@pytest.mark.parametrize(
    ("zone", "day", "hour"),
    [("Europe/London", dt.date(2026, 10, 25), 1), ("America/New_York", dt.date(2026, 11, 1), 1)],
)
def test_a_time_that_the_clocks_show_twice_goes_once(zone, day, hour):
    """A run of half past one that ends when it is a quarter past one again has gone."""
    local = ZoneInfo(zone)
    rule = f"FREQ=DAILY;BYHOUR={hour};BYMINUTE=30;BYSECOND=0"
    start = dt.datetime.combine(day, dt.time(), local)
    first = recurrence.next_occurrence(rule, start=start, after=start, zone=zone)
    again = dt.datetime.combine(day, dt.time(hour, 15), local).replace(fold=1)
    assert again > first
    second = recurrence.next_occurrence(rule, start=start, after=again, zone=zone)
    assert second.astimezone(local).date() == day + dt.timedelta(days=1)


def test_how_a_rule_is_stored():
    text = (
        "rrule:freq=daily;byhour=9;\r\nEXDATE:20260105T090000,2026\r\n 0103\r\nexdate:20260105\r\n"
    )
    stored = "FREQ=DAILY;BYHOUR=9\nEXDATE;VALUE=DATE:20260103,20260105"
    assert recurrence.canonical(text) == stored
    assert recurrence.canonical(stored) == stored


def test_a_rule_richer_than_module_11_has_no_parts():
    for rule in (
        "",
        "FREQ=DAILY",
        f"FREQ=DAILY;INTERVAL=2;{CLOCK}",
        f"FREQ=WEEKLY;BYDAY=MO,TU;{CLOCK}",
    ):
        assert recurrence.recurrence_parts(rule)["pattern"] is None
    ends = f"FREQ=WEEKLY;BYDAY=MO;{CLOCK};COUNT=3\nEXDATE:20260105"
    assert recurrence.recurrence_parts(ends) == {
        "pattern": "weekly", "day": 1, "time": dt.time(10, 30),
    }  # fmt: skip
    later = recurrence.laid_over(ends, "weekly", 1, dt.time(11))
    assert later == (
        "FREQ=WEEKLY;BYDAY=MO;BYHOUR=11;BYMINUTE=0;BYSECOND=0;COUNT=3\nEXDATE;VALUE=DATE:20260105"
    )


# A busy machine must not fail them.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
days = st.dates(dt.date(2025, 1, 1), dt.date(2029, 12, 31))
repetitions = st.builds(
    Repetition,
    pattern=st.just("daily"),
    at=st.builds(dt.time, st.integers(0, 23), st.integers(0, 59)),
    interval=st.integers(1, 6),
    skipped=st.lists(days, max_size=5).map(lambda found: tuple(sorted(set(found)))),
).flatmap(
    lambda base: st.one_of(
        st.just(base),
        st.sets(st.integers(0, 6), min_size=1).map(
            lambda found: replace(base, pattern="weekly", weekdays=tuple(found))
        ),
        st.integers(1, 31).map(lambda day: replace(base, pattern="monthly", day=day)),
    )
).flatmap(
    lambda base: st.one_of(
        st.just(base),
        days.map(lambda until: replace(base, until=until)),
        st.integers(1, 40).map(lambda times: replace(base, times=times)),
    )
)  # fmt: skip
ZONES = ("Asia/Kolkata", "Europe/London", "America/New_York", "Pacific/Apia")
moments = st.datetimes(
    dt.datetime(2025, 1, 1), dt.datetime(2029, 12, 31), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=0))


@unhurried
@given(repetition=repetitions)
def test_what_people_put_together_is_read_back(repetition):
    found = Repetition.of(repetition.rule)
    assert found is not None
    assert found.rule == repetition.rule == recurrence.canonical(repetition.rule)
    assert set(found.weekdays) == set(repetition.weekdays)
    assert (found.day, found.until, found.times) == (
        repetition.day, repetition.until, repetition.times,
    )  # fmt: skip
    assert found.skipped == repetition.skipped


@unhurried
@given(repetition=repetitions, start=moments, zone=st.sampled_from(ZONES))
def test_the_laws_of_dates(repetition, start, zone):
    rule, local = repetition.rule, ZoneInfo(zone)
    found = recurrence.first_occurrences(rule, 12, start=start, after=start, zone=zone)
    assert all(before < after for before, after in pairwise(found))
    assert all(moment > start for moment in found)
    on = [moment.astimezone(local) for moment in found]
    assert len({moment.date() for moment in on}) == len(on)
    assert not {moment.date() for moment in on} & set(repetition.skipped)
    assert len(found) <= (repetition.times or 12)
    if repetition.until:
        assert all(moment.date() <= repetition.until for moment in on)
    # From each of them, the next is the one that was told.
    for moment, then in pairwise(found):
        assert recurrence.next_occurrence(rule, start=start, after=moment, zone=zone) == then
    where = {"start": start, "after": start, "zone": zone}
    assert (recurrence.silence(rule, **where) is None) == bool(found)


PARTS = st.one_of(
    st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(1, 9)),
    st.builds("FREQ=DAILY;BYDAY={}".format, st.sampled_from(["MO", "SA,SU", "TU,WE,FR"])),
    st.builds(
        "FREQ=DAILY;BYMONTH={};BYMONTHDAY={}".format, st.integers(1, 12), st.integers(-28, -1)
    ),
    st.builds(
        "FREQ=WEEKLY;INTERVAL={};WKST={};BYDAY={}".format,
        st.integers(1, 5),
        st.sampled_from(["MO", "SU", "WE"]),
        st.sampled_from(["MO", "SA,SU", "TU,WE,FR", "SU"]),
    ),
    st.just("FREQ=WEEKLY"),
    st.builds("FREQ=WEEKLY;BYMONTH={}".format, st.integers(1, 12)),
    st.just("FREQ=MONTHLY"),
    st.builds(
        "FREQ=MONTHLY;INTERVAL={};BYDAY={}".format,
        st.integers(1, 14),
        st.sampled_from(["1MO", "-1FR", "2TU,4TU", "5SU", "MO,WE"]),
    ),
    st.builds(
        "FREQ=MONTHLY;BYDAY={};BYSETPOS={}".format,
        st.sampled_from(["MO,TU,WE,TH,FR", "SA,SU", "FR"]),
        st.sampled_from(["1", "-1", "2,-2"]),
    ),
    st.builds("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR;INTERVAL={}".format, st.integers(1, 3)),
    st.builds("FREQ=MONTHLY;BYMONTHDAY={}".format, st.integers(1, 31)),
)  # fmt: skip


@unhurried
@given(parts=PARTS, start=moments, clock=st.sampled_from(["", ";BYHOUR=9", f";{CLOCK}"]))
def test_dates_are_those_of_the_standards_library(parts, start, clock):
    """Where no clock changes, they are what dateutil finds."""
    rule = parts + clock
    naive = start.replace(tzinfo=None)
    end = start + dt.timedelta(days=3600)
    expected = [
        moment.replace(tzinfo=UTC)
        for moment in islice(rrulestr(rule, dtstart=naive), 20)
        if start < moment.replace(tzinfo=UTC) < end
    ]
    found = recurrence.first_occurrences(rule, 21, start=start, after=start, zone="UTC")
    assert found[: len(expected)] == expected


@unhurried
@given(text=st.text(alphabet="FREQ=DAILYWKMONTH;BSUC0123456789,:\n-T", max_size=60))
def test_no_text_is_more_than_refused(text):
    for rule in (text, f"FREQ=DAILY;{text}", f"FREQ=DAILY\nEXDATE:{text}"):
        try:
            recurrence.first_occurrences(
                rule, 3, start=JANUARY, after=JANUARY, zone="Europe/London"
            )
        except RecurrenceError:
            assert Repetition.of(rule) is None
