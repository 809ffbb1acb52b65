"""When a rule comes: its days as moments of a time zone."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from marketing.campaigns.recurrence.reading import Fault, RecurrenceError, parse
from marketing.campaigns.recurrence.series import Series

HORIZON = dt.timedelta(days=3653)
OLDEST_START = 2 * HORIZON


class Silence(StrEnum):
    """Why a rule gives no date any more."""

    NEVER = "never"
    OVER = "over"
    ALL_SKIPPED = "all_skipped"


def occurrences(
    rule: str, *, start: dt.datetime, after: dt.datetime, zone: str
) -> Iterator[dt.datetime]:
    """The rule's moments later than `after`, counted from `start`, in UTC; ten years of them.

    They are found in local time of `zone`, so that ten o'clock stays ten o'clock; a time that
    the clocks leave out on its day comes as much later, one that they show twice goes once.
    Raises `RecurrenceError`.
    """
    return _occurrences(parse(rule), start, after, ZoneInfo(zone))


def _occurrences(
    series: Series, start: dt.datetime, after: dt.datetime, local: ZoneInfo
) -> Iterator[dt.datetime]:
    if start < after - OLDEST_START:
        raise RecurrenceError(Fault.TOO_OLD)
    if start > after + HORIZON:
        return iter(())
    begin = start.astimezone(local).replace(tzinfo=None, microsecond=0)
    last = (after + HORIZON).astimezone(local).date()
    return _moments(series.begun_on(begin), begin, last, after, local)


def _moments(
    series: Series, begin: dt.datetime, last: dt.date, after: dt.datetime, zone: ZoneInfo
) -> Iterator[dt.datetime]:
    at = dt.time(series.hour or 0, series.minute or 0, series.second or 0)
    left, latest = series.count, after
    until, skipped = series.until, frozenset(series.skipped)
    if until is not None and until.tzinfo is not None:
        until = until.astimezone(zone).replace(tzinfo=None)
    for day in series.days(begin.date(), last):
        moment = dt.datetime.combine(day, at)
        if moment < begin or day in skipped:
            continue
        if left == 0 or (until is not None and moment > until):
            return
        left = left and left - 1
        moment = moment.replace(tzinfo=zone).astimezone(dt.UTC)
        if moment > latest:
            latest = moment
            yield moment


def next_occurrence(
    rule: str, *, start: dt.datetime, after: dt.datetime, zone: str
) -> dt.datetime | None:
    """The first of `occurrences`; None when there is none."""
    return next(occurrences(rule, start=start, after=after, zone=zone), None)


def first_occurrences(
    rule: str, number: int, *, start: dt.datetime, after: dt.datetime, zone: str
) -> list[dt.datetime]:
    """The first so many of `occurrences`."""
    return list(islice(occurrences(rule, start=start, after=after, zone=zone), number))


def silence(rule: str, *, start: dt.datetime, after: dt.datetime, zone: str) -> Silence | None:
    """Why there is no occurrence, or None when there is one. Raises `RecurrenceError`."""
    series, local = parse(rule), ZoneInfo(zone)
    unskipped = replace(series, skipped=())
    endless = replace(unskipped, count=None, until=None)
    for kind, reason in (
        (endless, Silence.NEVER),
        (unskipped, Silence.OVER),
        (series, Silence.ALL_SKIPPED),
    ):
        if next(_occurrences(kind, start, after, local), None) is None:
            return reason
    return None
