"""Rules as people put them together, in the wizard and in Module 11's three fields."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from marketing.campaigns.recurrence.reading import WEEKDAYS, parse, with_skipped


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """A rule that people can put together: what the wizard asks for.

    `weekdays` are 0 for Sunday; `day` is of the month, 29-31 the last day of a shorter one.
    """

    pattern: str
    at: dt.time
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    day: int | None = None
    until: dt.date | None = None
    times: int | None = None
    skipped: tuple[dt.date, ...] = ()

    @property
    def rule(self) -> str:
        """As a rule. Raises ValueError when the day does not fit the pattern."""
        parts = [f"FREQ={self.pattern.upper()}"]
        if self.interval > 1:
            parts.append(f"INTERVAL={self.interval}")
        parts += self._day_parts()
        parts.append(f"BYHOUR={self.at.hour};BYMINUTE={self.at.minute};BYSECOND=0")
        if self.times:
            parts.append(f"COUNT={self.times}")
        elif self.until:
            parts.append(f"UNTIL={self.until:%Y%m%d}T235959")
        return with_skipped(";".join(parts), self.skipped)

    def _day_parts(self) -> list[str]:
        weekdays, day = self.weekdays, self.day
        if self.pattern == "daily":
            return []
        if self.pattern == "weekly" and weekdays and set(weekdays) <= set(range(7)):
            # A week begins on Monday.
            ordered = sorted(set(weekdays), key=lambda number: (number - 1) % 7)
            return ["BYDAY=" + ",".join(WEEKDAYS[number] for number in ordered)]
        if self.pattern == "monthly" and day is not None and 1 <= day <= 31:
            days = ",".join(str(number) for number in range(min(day, 28), day + 1))
            return [f"BYMONTHDAY={days}", *(["BYSETPOS=-1"] if day > 28 else [])]
        raise ValueError("0 (Sunday) to 6 for weekly, 1 to 31 for monthly.")

    @classmethod
    def of(cls, rule: str) -> "Repetition | None":
        """The rule as people would put it together; None where it says more."""
        try:
            series = parse(rule)
            if series.hour is None or series.minute is None:
                return None
            made = cls(
                pattern=series.frequency.lower(),
                at=dt.time(series.hour, series.minute),
                interval=series.interval,
                weekdays=tuple((weekday + 1) % 7 for _, weekday in series.weekdays),
                day=max(series.month_days, default=None),
                until=series.until.date() if series.until else None,
                times=series.count,
                skipped=series.skipped,
            )
            return made if parse(made.rule) == series else None
        except ValueError:
            return None


def recurrence_parts(rule: str) -> dict[str, Any]:
    """The rule as Module 11's `pattern`, `day` and `time`; all None where it says more of them.

    How it ends and what it skips is told by the rule alone.
    """
    found = Repetition.of(rule)
    if found is None or found.interval > 1 or len(found.weekdays) > 1:
        return {"pattern": None, "day": None, "time": None}
    day = found.weekdays[0] if found.weekdays else found.day
    return {"pattern": found.pattern, "day": day, "time": found.at}


def laid_over(rule: str, pattern: str, day: int | None, at: dt.time) -> str:
    """Module 11's pattern, day and time as a rule, which ends and skips as `rule` does.

    Raises ValueError when the day does not fit the pattern.
    """
    former = Repetition.of(rule)
    return Repetition(
        pattern=pattern,
        at=at,
        weekdays=(day,) if pattern == "weekly" and day is not None else (),
        day=day if pattern == "monthly" else None,
        until=former.until if former else None,
        times=former.times if former else None,
        skipped=former.skipped if former else (),
    ).rule
