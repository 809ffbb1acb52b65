"""The days and distances of the plain evaluator: its moment, its clocks, its map."""

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

INDIA, LONDON = "Asia/Kolkata", "Europe/London"
NOW = dt.datetime(2026, 2, 28, 20, 30, tzinfo=dt.UTC)  # already March in India, not in London
CITIES = {"india": "Mumbai", "london": "London"}
# A branch, beside it, far off, across the 180th meridian from each other, and by the pole.
PLACES = {
    "india": (19.06, 72.83),
    "near": (19.08, 72.87),
    "far": (28.6, 77.2),
    "fiji": (-17.0, 179.9),
    "samoa": (-17.0, -179.9),
    "pole": (89.9, 10.0),
    "beyond pole": (89.9, -170.0),
}


def zone_of(person: dict[str, Any]) -> ZoneInfo:
    return ZoneInfo(LONDON if person["branch"] == "london" else INDIA)


def today(person: dict[str, Any]) -> dt.date:
    return NOW.astimezone(zone_of(person)).date()


def days_since(moment: dt.datetime, person: dict[str, Any]) -> int:
    return (today(person) - moment.astimezone(zone_of(person)).date()).days


BRANCH_ZONES = {"india": ZoneInfo(INDIA), "london": ZoneInfo(LONDON)}


def kilometres(one: str, other: str) -> float:
    """By the angle between two arrows from the middle of the earth."""
    ends = []
    for name in (one, other):
        latitude, longitude = (math.radians(each) for each in PLACES[name])
        ends.append(
            (
                math.cos(latitude) * math.cos(longitude),
                math.cos(latitude) * math.sin(longitude),
                math.sin(latitude),
            )
        )
    return 2 * 6371.0088 * math.asin(min(1, math.dist(*ends) / 2))


def age_of(born: dt.date, day: dt.date) -> int:
    years = 0
    while True:
        year = born.year + years + 1
        is_leap = year % 4 == 0
        birthday = (2, 28) if (born.month, born.day) == (2, 29) and not is_leap else None
        if dt.date(year, *(birthday or (born.month, born.day))) > day:
            return years
        years += 1


def days_to_birthday(born: dt.date, day: dt.date) -> int:
    for days in range(367):
        then = day + dt.timedelta(days=days)
        leap = then.year % 4 == 0
        celebrated = (
            (2, 28) if (born.month, born.day) == (2, 29) and not leap else (born.month, born.day)
        )
        if (then.month, then.day) == celebrated:
            return days
    raise AssertionError(born)
