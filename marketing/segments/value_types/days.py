"""Days counted from today, in the zone of the customer's branch."""

import calendar
import datetime as dt
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.segments.local_time import LocalDay
from marketing.segments.negation import does_not_hold
from marketing.segments.sources import Source
from marketing.segments.value_types.base import COMPARISONS, LOOKUPS, ORDERED, ValueType
from marketing.segments.value_types.numbers import Number

MAX_DAYS = 36_500
SPANS = ("within_last", "within_next")


def clean_days(value: Any, lowest: int = 0, highest: int = MAX_DAYS) -> int:
    """A whole number of days. Raises ValueError."""
    days = Number().clean(value)
    if not lowest <= days <= highest:
        raise ValueError(
            _("Enter a number of days from %(low)d to %(high)d.") % {"low": lowest, "high": highest}
        )
    return int(days)


def within_span(source: Source, op: str, days: int, day: LocalDay) -> Q:
    """Dates from today, itself included, up to so many days back or ahead."""
    other = day.today + dt.timedelta(days=-days if op == "within_last" else days)
    first, last = sorted((day.today, other))
    return source.compare("gte", first) & source.compare("lte", last)


class _Days(ValueType):
    name = "days"
    operators: tuple[str, ...] = (*COMPARISONS, "is_set", "not_set")
    uses_clock = True
    lowest: ClassVar[int] = 0
    highest: ClassVar[int] = MAX_DAYS

    def clean(self, value: Any) -> int:
        return clean_days(value, self.lowest, self.highest)


class DaysAgo(_Days):
    """Calendar days since a stored moment: a visit last night was one day ago this morning."""

    unit = gettext_lazy("… days ago")
    operators = (*COMPARISONS, "within_last", "is_set", "not_set")
    operator_labels = {
        "gt": gettext_lazy("was more than … days ago"),
        "gte": gettext_lazy("was at least … days ago"),
        "lt": gettext_lazy("was less than … days ago"),
        "lte": gettext_lazy("was at most … days ago"),
        "eq": gettext_lazy("was exactly … days ago"),
        "ne": gettext_lazy("was not … days ago"),
        "between": gettext_lazy("was between … and … days ago"),
        "within_last": gettext_lazy("was within the last … days"),
        "is_set": gettext_lazy("has happened"),
        "not_set": gettext_lazy("never happened"),
    }

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in ("eq", "within_last"):
            end = 1 if op == "within_last" else 1 - operand
            return source.compare("gte", day.start(-operand)) & source.compare("lt", day.start(end))
        lookup, days = {
            "gt": ("lt", operand),
            "gte": ("lt", operand - 1),
            "lt": ("gte", operand - 1),
            "lte": ("gte", operand),
        }[op]
        return source.compare(lookup, day.start(-days))

    def read(self, stored: Any, day: LocalDay) -> int | None:
        return None if stored is None else (day.today - day.date_of(stored)).days


class DaysUntil(_Days):
    """Calendar days until a stored date; negative once it has passed."""

    unit = gettext_lazy("in … days")
    lowest = -MAX_DAYS
    operators: tuple[str, ...] = (*COMPARISONS, *SPANS, "is_set", "not_set")
    operator_labels = {
        "gt": gettext_lazy("is more than … days away"),
        "gte": gettext_lazy("is at least … days away"),
        "lt": gettext_lazy("is less than … days away"),
        "lte": gettext_lazy("is at most … days away"),
        "eq": gettext_lazy("is exactly … days away"),
        "ne": gettext_lazy("is not … days away"),
        "between": gettext_lazy("is between … and … days away"),
    }

    def clean_operand(self, op: str, value: Any) -> Any:
        if op in SPANS:
            return clean_days(value)
        return super().clean_operand(op, value)

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in SPANS:
            return within_span(source, op, operand, day)
        return source.compare(LOOKUPS[op], day.today + dt.timedelta(days=operand))

    def read(self, stored: Any, day: LocalDay) -> int | None:
        return None if stored is None else (stored - day.today).days


class DaysToYearday(_Days):
    """Days until a yearly date comes round (0: today).

    Somebody born on 29 February has her day on the 28th in years without one.
    """

    unit = gettext_lazy("in … days")
    highest = 365
    operators = ("within_next", "today", "lte", "eq", "between", "is_set", "not_set")
    operator_labels = {
        "within_next": gettext_lazy("comes within the next … days"),
        "lte": gettext_lazy("comes within … days"),
        "eq": gettext_lazy("is exactly … days away"),
        "between": gettext_lazy("is between … and … days away"),
    }

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in ("is_set", "not_set"):
            return super().condition(source, op, operand, day)
        first, last = {
            "today": (0, 0),
            "within_next": (0, operand),
            "lte": (0, operand),
            "eq": (operand, operand),
        }.get(op) or operand
        wanted = self._between(source, first, last, day)
        # A year without a 29 February has come round to today's date again by then.
        if last == 365 and first:
            return wanted & does_not_hold(self._between(source, 0, 0, day))
        return wanted

    def _between(self, source: Source, first: int, last: int, day: LocalDay) -> Q:
        wanted = Q()
        start = day.today + dt.timedelta(days=first)
        end = day.today + dt.timedelta(days=last)
        for year in range(start.year, end.year + 1):
            wanted |= self._within_year(
                source, max(start, dt.date(year, 1, 1)), min(end, dt.date(year, 12, 31))
            )
        return wanted

    @staticmethod
    def _within_year(source: Source, start: dt.date, end: dt.date) -> Q:
        last = (end.month, end.day)
        if last == (2, 28) and (end + dt.timedelta(days=1)).month == 3:
            last = (2, 29)
        months = source.compare("month__gt", start.month) & source.compare("month__lt", last[0])
        from_start = source.compare("day__gte", start.day)
        to_end = source.compare("day__lte", last[1])
        if start.month == last[0]:
            return source.compare("month", start.month) & from_start & to_end
        return (
            months
            | (source.compare("month", start.month) & from_start)
            | (source.compare("month", last[0]) & to_end)
        )

    def read(self, stored: Any, day: LocalDay) -> int | None:
        if stored is None:
            return None
        comes = _in_year(stored, day.today.year)
        if comes < day.today:
            comes = _in_year(stored, day.today.year + 1)
        return (comes - day.today).days


class Age(Number):
    """Years since a birth date; who was born on 29 February turns a year older on the 28th."""

    operators = ORDERED
    uses_clock = True
    MOST = 150

    def clean(self, value: Any) -> int:
        years = super().clean(value)
        if not 0 <= years <= self.MOST:
            raise ValueError(_("Enter an age from 0 to %(max)d.") % {"max": self.MOST})
        return int(years)

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op == "in":
            return Q(*[self.compare(source, "eq", each, day) for each in operand], _connector=Q.OR)
        if op == "eq":
            return self.compare(source, "gte", operand, day) & self.compare(
                source, "lte", operand, day
            )
        turned = _latest_birth(day.today, operand + (op in ("gt", "lte")))
        return source.compare("lte" if op in ("gt", "gte") else "gt", turned)

    def read(self, stored: Any, day: LocalDay) -> int | None:
        if stored is None:
            return None
        has_birthday_to_come = _in_year(stored, day.today.year) > day.today
        return int(day.today.year - stored.year - has_birthday_to_come)


def _latest_birth(today: dt.date, years: int) -> dt.date:
    """Who was born by this day is at least so many years old."""
    born = _in_year(today, today.year - years)
    after = born + dt.timedelta(days=1)
    is_leap_day_celebrated = (after.month, after.day, today.day) == (2, 29, 28)
    return after if is_leap_day_celebrated and not calendar.isleap(today.year) else born


def _in_year(date: dt.date, year: int) -> dt.date:
    try:
        return date.replace(year=year)
    except ValueError:
        return dt.date(year, 2, 28)
