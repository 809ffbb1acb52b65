"""The arithmetic of points, free of Django: whole points, paise, hundredths of a rate.

Rates are hundredths of a point for 100 rupees, multipliers basis points (10,000 = once).
"""

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

MAX_POINTS = 1_000_000_000
MAX_PAISE = 100_000_000_000_000
ONCE = 10_000
# 100 rupees in paise × hundredths of a point × basis points.
_WHOLE = 10_000 * 100 * ONCE

ONLY_PENDING, WITHIN_BALANCE, UNLIMITED = "only_pending", "within_balance", "unlimited"
NO_ROUNDING, MONTH, QUARTER, HALF_YEAR, YEAR = "none", "month", "quarter", "half_year", "year"
MONTHS_OF = {MONTH: 1, QUARTER: 3, HALF_YEAR: 6, YEAR: 12}
DAY = dt.timedelta(days=1)
HOLD_MINUTES = 10
LONGEST_HOLD_MINUTES = 30


@dataclass(frozen=True)
class Life:
    """When points may be used: from `active_at` to the end of the day `expires_on` (None: ever)."""

    active_at: dt.datetime
    expires_on: dt.date | None
    expires_at: dt.datetime | None


@dataclass(frozen=True)
class EarnLine:
    """A line of a bill: what was paid for it in paise, without tax and after discounts.

    What was paid in points or from a wallet is not in it. `rate` is in hundredths.
    """

    ref: str
    net_paise: int
    rate: int


def local_day(moment: dt.datetime, zone: str) -> dt.date:
    """Which day it is in the zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def start_of(day: dt.date, zone: str) -> dt.datetime:
    """The midnight that begins the day in the zone, in UTC; no sooner than there are days."""
    if day == dt.date.min:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return dt.datetime.combine(day, dt.time.min, ZoneInfo(zone)).astimezone(dt.UTC)


def end_of(day: dt.date, zone: str) -> dt.datetime:
    """The midnight that ends the day in the zone, in UTC; no later than there are days."""
    if day == dt.date.max:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
    return start_of(day + DAY, zone)


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day so many months on, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def birthdays_on(day: dt.date) -> list[dt.date]:
    """All days on which who has a birthday then can be born: of 29 February it is the 28th of a
    common year. As an index of dates finds them, which one of months and days would not."""
    years: Sequence[int] = range(dt.MINYEAR, day.year + 1)
    if (day.month, day.day) == (2, 29):
        years = [year for year in years if calendar.isleap(year)]
    born = [day.replace(year=year) for year in years]
    if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
        born += [dt.date(year, 2, 29) for year in years if calendar.isleap(year)]
    return born


def round_up(day: dt.date, rounding: str) -> dt.date:
    """The last day of the month, quarter, half year or year that the day lies in."""
    if rounding == NO_ROUNDING:
        return day
    span = MONTHS_OF[rounding]
    month = (day.month - 1) // span * span + span
    return dt.date(day.year, month, calendar.monthrange(day.year, month)[1])


def life(
    earned_at: dt.datetime, pending_days: int, months: int | None, rounding: str, zone: str
) -> Life:
    """The life of points earned at a moment; expiry counts from the day they become active."""
    active_at = earned_at + dt.timedelta(days=pending_days)
    if months is None:
        return Life(active_at, None, None)
    last = round_up(add_months(local_day(active_at, zone), months), rounding)
    return Life(active_at, last, end_of(last, zone))


def points_of_lines(lines: Sequence[EarnLine], multiplier: int) -> list[int]:
    """The points of each line: the bill's are rounded down once, then split by largest remainder.

    The first of equal remainders gets the odd point.
    """
    exact = [line.net_paise * line.rate * multiplier for line in lines]
    parts = [each // _WHOLE for each in exact]
    order = sorted(range(len(lines)), key=lambda i: -(exact[i] % _WHOLE))
    for i in order[: sum(exact) // _WHOLE - sum(parts)]:
        parts[i] += 1
    return parts


def points_refunded(points: int, net_paise: int, refunded_paise: int) -> int:
    """How many of a line's points go with so much of it refunded in all, half up.

    All of them when all of it is.
    """
    if net_paise == 0:
        return points
    return (2 * points * refunded_paise + net_paise) // (2 * net_paise)


def most_redeemable(
    available: int, payable_paise: int, value_paise: int, percent: int, most: int | None
) -> int:
    """How many points a bill may use: of the balance, of its share, of the programme's cap."""
    share = payable_paise * percent // (100 * value_paise)
    caps = [max(available, 0), share, *([] if most is None else [most])]
    return min(caps)


def tier_hold_end(reached: dt.datetime, hold_days: int, zone: str) -> dt.datetime:
    """Until when a tier reached at a moment is kept: the end of the day so many days on."""
    return end_of(local_day(reached, zone) + hold_days * DAY, zone)


def calendar_period(moment: dt.datetime, span: str, zone: str) -> tuple[dt.datetime, dt.datetime]:
    """The calendar month, quarter, half year or year around a moment: start and end."""
    day = local_day(moment, zone)
    months = MONTHS_OF[span]
    first = dt.date(day.year, (day.month - 1) // months * months + 1, 1)
    return start_of(first, zone), start_of(add_months(first, months), zone)


def grace_end(period_end: dt.datetime, months: int, to_month_end: bool, zone: str) -> dt.datetime:
    """Until when a tier outlives its period; with `to_month_end`, to the end of that month."""
    end = add_months(local_day(period_end, zone), months)
    if to_month_end:
        return end_of(round_up(end - DAY, MONTH), zone)
    return start_of(end, zone)


def qualified_level(earned: int, thresholds: Mapping[int, int]) -> int | None:
    """The highest level whose threshold was reached; None below them all."""
    return max((level for level, least in thresholds.items() if earned >= least), default=None)
