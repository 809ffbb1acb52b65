"""What follow-ups follow, free of Django: states, days and moments."""

import datetime as dt
from zoneinfo import ZoneInfo

PENDING, COMPLETED, DISMISSED = "pending", "completed", "dismissed"

# From a state to those that may follow it; back to pending undoes a slip of the thumb.
TRANSITIONS: dict[str, frozenset[str]] = {
    PENDING: frozenset({COMPLETED, DISMISSED}),
    COMPLETED: frozenset({PENDING}),
    DISMISSED: frozenset({PENDING}),
}

# How many days after today a reminder is put off to.
SNOOZES = {"tomorrow": 1, "next_week": 7}

DAY = dt.timedelta(days=1)
FURTHEST = dt.timedelta(days=730)
INACTIVE_DAYS = 60
MOST_INACTIVE_DAYS = 3_650


def local_day(now: dt.datetime, zone: str) -> dt.date:
    """Which day it is in the zone."""
    return now.astimezone(ZoneInfo(zone)).date()


def due_at(day: dt.date, time: dt.time | None, zone: str) -> dt.datetime:
    """The moment of a reminder in UTC: the beginning of its day where it has no time.

    An hour that a change of clocks skips is the one after it, one that comes twice the first.
    """
    local = dt.datetime.combine(day, time or dt.time.min, ZoneInfo(zone))
    return local.astimezone(dt.UTC)


def is_overdue(status: str, day: dt.date, now: dt.datetime, zone: str) -> bool:
    """From the midnight that ends its day, in its branch."""
    return status == PENDING and day < local_day(now, zone)


def quiet_since(days: int, now: dt.datetime, zone: str) -> dt.datetime:
    """Whoever came last before this moment has stayed away for more than so many days."""
    return due_at(local_day(now, zone) - dt.timedelta(days=days), None, zone)
