"""From a rule's text to what it says, and how it is written."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from marketing.campaigns.recurrence.series import Series

LONGEST_RULE = 1500
MOST_SKIPPED = 100
WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")


class Fault(StrEnum):
    """Why a rule cannot be used."""

    UNREADABLE = "unreadable"
    TOO_OFTEN = "too_often"
    TOO_LONG = "too_long"
    TOO_OLD = "too_old"


class RecurrenceError(ValueError):
    """A rule that cannot be used, and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


NUMBERS = {
    # part: the field, its least and greatest number, whether the rule may name several
    "INTERVAL": ("interval", 1, 999, False),
    "COUNT": ("count", 1, 9999, False),
    "BYMONTHDAY": ("month_days", -31, 31, True),
    "BYMONTH": ("months", 1, 12, True),
    "BYSETPOS": ("positions", -31, 31, True),
    "BYHOUR": ("hour", 0, 23, False),
    "BYMINUTE": ("minute", 0, 59, False),
    "BYSECOND": ("second", 0, 59, False),
}
CLOCK = ("BYHOUR", "BYMINUTE", "BYSECOND")
FOLDED = re.compile(r"\r?\n[ \t]")
WEEKDAY = re.compile(r"([+-]?[1-5])?([A-Z]{2})")
MOMENT = re.compile(r"(\d{8})(T\d{6}Z?)?")


@lru_cache(maxsize=512)
def parse(rule: str) -> Series:
    """The rule, taken apart. Raises `RecurrenceError`."""
    if len(rule) > LONGEST_RULE:
        raise RecurrenceError(Fault.TOO_LONG)
    try:
        first, *others = FOLDED.sub("", rule.strip().upper()).splitlines()
        skipped = {day for line in others if line.strip() for day in _skipped(line.strip())}
        series = _series(first.strip().removeprefix("RRULE:"))
    except RecurrenceError:
        raise
    except (KeyError, ValueError) as error:
        raise RecurrenceError(Fault.UNREADABLE) from error
    if len(skipped) > MOST_SKIPPED:
        raise RecurrenceError(Fault.TOO_LONG)
    return replace(series, skipped=tuple(sorted(skipped)))


def _series(line: str) -> Series:
    named = [part.split("=", 1) for part in line.removesuffix(";").split(";")]
    parts = {name: value for name, value in named}  # noqa: C416  a part without "=" raises
    if len(parts) < len(named):
        raise ValueError(line)
    frequency = parts.pop("FREQ")
    if frequency in ("SECONDLY", "MINUTELY", "HOURLY") or any(
        "," in parts.get(name, "") for name in CLOCK
    ):
        raise RecurrenceError(Fault.TOO_OFTEN)
    is_monthly = frequency == "MONTHLY"
    if frequency not in ("DAILY", "WEEKLY", "MONTHLY") or ("COUNT" in parts and "UNTIL" in parts):
        raise ValueError(line)
    if ("BYSETPOS" in parts and not is_monthly) or (
        "BYMONTHDAY" in parts and frequency == "WEEKLY"
    ):
        raise ValueError(line)
    values: dict[str, Any] = {"frequency": frequency}
    for name, text in parts.items():
        if name == "BYDAY":
            values["weekdays"] = tuple(
                sorted({_weekday(word, is_monthly) for word in text.split(",")})
            )
        elif name == "WKST":
            values["week_start"] = _weekday(text, False)[1]
        elif name == "UNTIL":
            values["until"] = _until(text)
        else:
            field, least, greatest, is_list = NUMBERS[name]
            numbers = tuple(sorted({_number(word, least, greatest) for word in text.split(",")}))
            values[field] = numbers if is_list else numbers[0]
            if not is_list and "," in text:
                raise ValueError(text)
    return Series(**values)


def _number(text: str, least: int, greatest: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,4}", text):
        raise ValueError(text)
    number = int(text)
    if not least <= number <= greatest or (number == 0 and least < 0):
        raise ValueError(text)
    return number


def _weekday(text: str, may_be_numbered: bool) -> tuple[int, int]:
    found = WEEKDAY.fullmatch(text)
    if found is None or (found[1] and not may_be_numbered):
        raise ValueError(text)
    return int(found[1] or 0), (WEEKDAYS.index(found[2]) - 1) % 7


def _until(text: str) -> dt.datetime:
    """The last moment: aware when it was given in UTC, local otherwise."""
    found = MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    if found[2] is None:
        return dt.datetime.strptime(text, "%Y%m%d").replace(hour=23, minute=59, second=59)
    moment = dt.datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")
    return moment.replace(tzinfo=dt.UTC) if text.endswith("Z") else moment


def _skipped(line: str) -> Iterator[dt.date]:
    """The days of an EXDATE; of a moment its day, since nothing goes twice a day."""
    head, _, dates = line.partition(":")
    if head not in ("EXDATE", "EXDATE;VALUE=DATE", "EXDATE;VALUE=DATE-TIME"):
        raise ValueError(line)
    for text in dates.split(","):
        found = MOMENT.fullmatch(text.strip())
        if found is None or text.strip().endswith("Z"):
            raise ValueError(line)
        yield dt.datetime.strptime(found[1], "%Y%m%d").date()


def canonical(rule: str) -> str:
    """The rule as it is stored: in capitals, its skipped dates in order on one line of their own.

    Raises `RecurrenceError`.
    """
    series = parse(rule)
    first = FOLDED.sub("", rule.strip().upper()).splitlines()[0].strip()
    return with_skipped(first.removeprefix("RRULE:").removesuffix(";"), series.skipped)


def with_skipped(rule: str, days: tuple[dt.date, ...]) -> str:
    """The rule's first line, and a second one with the dates it skips, if it skips any."""
    line = rule.split("\n")[0]
    dates = ",".join(f"{day:%Y%m%d}" for day in sorted(set(days)))
    return f"{line}\nEXDATE;VALUE=DATE:{dates}" if dates else line
