"""Periods of a customer's use, and the last day of an offer. Pure."""

import datetime as dt
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError

from marketing.coupons.pricing.terms import OfferTerms, Period

# Stands for all of a customer's uses of an offer.
LIFETIME = dt.date(1, 1, 1)
# How far a bill's own time may be from the server's.
CLOCKS_APART = dt.timedelta(minutes=15)
LASTS = dt.timedelta(minutes=10)
LONGEST = dt.timedelta(minutes=30)
# Of the search for the best deal, per quote.
CPU_SECONDS = 0.025


def local_day(at: dt.datetime, zone: str) -> dt.date:
    """The calendar day of the moment on the branch's wall clock."""
    return at.astimezone(ZoneInfo(zone)).date()


@cache
def first_weekday(country: str) -> int:
    """The weekday (0: Monday) on which weeks begin in the country, as CLDR has it: in India 6."""
    try:
        return Locale.parse(f"und_{country}").first_week_day
    except UnknownLocaleError:
        return 0


def period_start(day: dt.date, period: Period, weeks_from: int = 0) -> dt.date:
    """The first day of the period that holds `day`; a week is from the weekday `weeks_from` on."""
    if period is Period.DAY:
        return day
    if period is Period.WEEK:
        return day - dt.timedelta(days=(day.weekday() - weeks_from) % 7)
    if period is Period.MONTH:
        return day.replace(day=1)
    return day.replace(month=1, day=1)


def period_end(start: dt.date, period: Period) -> dt.date:
    """The first day of the next period."""
    if period is Period.DAY:
        return start + dt.timedelta(days=1)
    if period is Period.WEEK:
        return start + dt.timedelta(days=7)
    if period is Period.MONTH:
        return (start + dt.timedelta(days=31)).replace(day=1)
    return start.replace(year=start.year + 1)


def last_day(terms: OfferTerms) -> dt.date | None:
    """The last day on which an offer holds: Module 11's `validUntil`."""
    ends = terms.timetable.ends
    return None if ends is None else (ends - dt.timedelta(microseconds=1)).date()


def first_day(terms: OfferTerms) -> dt.date | None:
    """Module 11's `validFrom`."""
    starts = terms.timetable.starts
    return None if starts is None else starts.date()
