"""A rule taken apart, and the days it names."""

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Series:
    """A rule, taken apart. Weekdays are (n-th of the month or 0, 0 for Monday)."""

    frequency: str
    interval: int = 1
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    count: int | None = None
    until: dt.datetime | None = None
    skipped: tuple[dt.date, ...] = ()

    def begun_on(self, start: dt.datetime) -> "Series":
        """The same with what the rule leaves to the moment it begins: day and clock time."""
        series = replace(
            self,
            hour=start.hour if self.hour is None else self.hour,
            minute=start.minute if self.minute is None else self.minute,
            second=start.second if self.second is None else self.second,
        )
        if self.frequency == "WEEKLY" and not self.weekdays:
            return replace(series, weekdays=((0, start.weekday()),))
        if self.frequency == "MONTHLY" and not (self.weekdays or self.month_days):
            return replace(series, month_days=(start.day,))
        return series

    def days(self, first: dt.date, last: dt.date) -> Iterator[dt.date]:
        """Every date of the rule in these days, in order; `first` is the one it begins on."""
        for period in self._periods(first, last):
            chosen = [day for day in period if self._has(day)]
            if self.positions:
                places = {p - 1 if p > 0 else len(chosen) + p for p in self.positions}
                chosen = [day for place, day in enumerate(chosen) if place in places]
            yield from (day for day in chosen if first <= day <= last)

    def _periods(self, first: dt.date, last: dt.date) -> Iterator[list[dt.date]]:
        """The days, weeks or months in which the rule looks for its dates."""
        if self.frequency == "MONTHLY":
            month = first.year * 12 + first.month - 1
            while month <= last.year * 12 + last.month - 1:
                begin = dt.date(month // 12, month % 12 + 1, 1)
                length = calendar.monthrange(begin.year, begin.month)[1]
                yield [begin.replace(day=number) for number in range(1, length + 1)]
                month += self.interval
            return
        length = 7 if self.frequency == "WEEKLY" else 1
        if length == 7:
            first -= dt.timedelta(days=(first.weekday() - self.week_start) % 7)
        for number in range(0, (last - first).days + 1, length * self.interval):
            yield [first + dt.timedelta(days=number + day) for day in range(length)]

    def _has(self, day: dt.date) -> bool:
        length = calendar.monthrange(day.year, day.month)[1]
        if self.months and day.month not in self.months:
            return False
        if self.month_days and not {day.day, day.day - length - 1} & set(self.month_days):
            return False
        of_month = {0, (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)}
        return not self.weekdays or any(
            weekday == day.weekday() and number in of_month for number, weekday in self.weekdays
        )
