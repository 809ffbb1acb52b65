"""When an offer holds: wall-clock windows, hours past midnight, blackouts (offers.md 5.7)."""

import datetime as dt
from collections.abc import Iterator, Sequence

from marketing.coupons.pricing.terms import DateSpan, HourWindow, Timetable, Weekday

DAY = dt.timedelta(days=1)
MINUTES_A_DAY = 24 * 60
# Further than any closed stretch that is still worth telling a customer about.
LOOK_AHEAD_DAYS = 400
LAST_LOOKED_FROM = dt.date.max - (LOOK_AHEAD_DAYS + 2) * DAY


def end_of(day: dt.date) -> dt.datetime:
    """The wall-clock moment at which `day` is over: Module 11's `validUntil` includes it."""
    if day == dt.date.max:
        return dt.datetime.max
    return dt.datetime.combine(day + DAY, dt.time())


def start_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())


def days_of(hours: Sequence[HourWindow], at: dt.datetime) -> list[dt.date]:
    """Days to which the moment `at` counts: those on which an open window began.

    Without windows it is the calendar day; outside every window none.
    """
    today = at.date()
    if not hours:
        return [today]
    minute = at.hour * 60 + at.minute
    days = []
    for window in hours:
        past_midnight = window.until <= window.start
        if (
            Weekday(today.weekday()) in window.weekdays
            and window.start <= minute
            and (past_midnight or minute < window.until)
        ):
            days.append(today)
        yesterday = today - DAY
        if (
            past_midnight
            and minute < window.until
            and Weekday(yesterday.weekday()) in window.weekdays
        ):
            days.append(yesterday)
    return days


def blackout_on(blackouts: Sequence[DateSpan], day: dt.date) -> DateSpan | None:
    """The blackout that closes `day`."""
    return next((span for span in blackouts if span.first <= day <= span.last), None)


def next_opening(timetable: Timetable, at: dt.datetime) -> dt.datetime | None:
    """The first wall-clock moment at or after `at` at which the offer holds, if there is one.

    Looks some 13 months ahead of `at` or of the start, whichever is later.
    """
    begin = at if timetable.starts is None else max(at, timetable.starts)
    if begin.date() > LAST_LOOKED_FROM:
        return None
    for start, until, day in _stretches(timetable.hours, begin):
        moment = max(start, begin)
        if timetable.ends is not None and moment >= timetable.ends:
            return None
        if moment < until and not blackout_on(timetable.blackouts, day):
            return moment
    return None


def _stretches(
    hours: Sequence[HourWindow], begin: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.datetime, dt.date]]:
    """Open stretches from the day before `begin` on, by their start, with the day they count to."""
    windows = sorted(
        hours or (HourWindow(start=0, until=MINUTES_A_DAY),), key=lambda window: window.start
    )
    for ahead in range(-1, LOOK_AHEAD_DAYS):
        day = begin.date() + ahead * DAY
        midnight = start_of(day)
        for window in windows:
            if Weekday(day.weekday()) in window.weekdays:
                length = (window.until - window.start) % MINUTES_A_DAY or MINUTES_A_DAY
                start = midnight + dt.timedelta(minutes=window.start)
                yield start, start + dt.timedelta(minutes=length), day
