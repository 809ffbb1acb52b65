"""Days counted from today, in the zone of the customer's branch."""

import datetime as dt
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.segments.local_time import LocalDay
from marketing.segments.sources import Source
from marketing.segments.value_types.base import COMPARISONS, LOOKUPS, VALUELESS, ValueType
from marketing.segments.value_types.numbers import Number

MAX_DAYS = 36_500


class _Days(ValueType):
    name = "days"
    operators: tuple[str, ...] = (*COMPARISONS, "is_set", "not_set")
    uses_clock = True
    lowest: ClassVar[int] = 0
    highest: ClassVar[int] = MAX_DAYS

    def clean(self, value: Any) -> int:
        days = Number().clean(value)
        if not self.lowest <= days <= self.highest:
            raise ValueError(
                _("Enter a number of days from %(low)d to %(high)d.")
                % {"low": self.lowest, "high": self.highest}
            )
        return int(days)


class DaysAgo(_Days):
    """Calendar days since a stored moment: a visit last night was one day ago this morning."""

    unit = gettext_lazy("… days ago")
    operator_labels = {
        "gt": gettext_lazy("was more than … days ago"),
        "gte": gettext_lazy("was at least … days ago"),
        "lt": gettext_lazy("was less than … days ago"),
        "lte": gettext_lazy("was at most … days ago"),
        "eq": gettext_lazy("was exactly … days ago"),
        "ne": gettext_lazy("was not … days ago"),
        "between": gettext_lazy("was between … and … days ago"),
        "is_set": gettext_lazy("has happened"),
        "not_set": gettext_lazy("never happened"),
    }

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op == "eq":
            return source.compare("gte", day.start(-operand)) & source.compare(
                "lt", day.start(1 - operand)
            )
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
    operator_labels = {
        "gt": gettext_lazy("is more than … days away"),
        "gte": gettext_lazy("is at least … days away"),
        "lt": gettext_lazy("is less than … days away"),
        "lte": gettext_lazy("is at most … days away"),
        "eq": gettext_lazy("is exactly … days away"),
        "ne": gettext_lazy("is not … days away"),
        "between": gettext_lazy("is between … and … days away"),
    }

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        return source.compare(LOOKUPS[op], day.today + dt.timedelta(days=operand))

    def read(self, stored: Any, day: LocalDay) -> int | None:
        return None if stored is None else (stored - day.today).days


class DaysToYearday(_Days):
    """Days until a yearly date comes round (0: today).

    Somebody born on 29 February has her day on the 28th in years without one.
    """

    unit = gettext_lazy("in … days")
    highest = 365
    operators = ("lte", "eq", "between", "is_set", "not_set")
    operator_labels = {
        "lte": gettext_lazy("comes within … days"),
        "eq": gettext_lazy("is exactly … days away"),
        "between": gettext_lazy("is between … and … days away"),
    }

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in VALUELESS:
            return super().condition(source, op, operand, day)
        first, last = {"lte": (0, operand), "eq": (operand, operand)}.get(op) or operand
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


def _in_year(date: dt.date, year: int) -> dt.date:
    try:
        return date.replace(year=year)
    except ValueError:
        return dt.date(year, 2, 28)
