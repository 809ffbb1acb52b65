"""What "today" is where a customer lives: her home branch's day, else the chain's.

"Days ago" counts calendar days there, so a count holds still from midnight to midnight and
compares a stored moment with the start of a day, which an index can serve.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Q

from marketing.segments.negation import does_not_hold


@dataclass(frozen=True)
class LocalDay:
    """A calendar day in one time zone."""

    today: dt.date
    zone: ZoneInfo

    @classmethod
    def at(cls, now: dt.datetime, zone: str) -> "LocalDay":
        where = ZoneInfo(zone)
        return cls(now.astimezone(where).date(), where)

    def start(self, days: int) -> dt.datetime:
        """The moment at which the day `days` from today began (negative: in the past)."""
        date = self.today + dt.timedelta(days=days)
        return dt.datetime.combine(date, dt.time(), self.zone)

    def date_of(self, moment: dt.datetime) -> dt.date:
        return moment.astimezone(self.zone).date()


def in_each_zone(
    build: Callable[[LocalDay], Q], *, now: dt.datetime, zone: str, branch_zones: Iterable[str]
) -> Q:
    """`build`'s condition, judged in each customer's own zone.

    `zone` is the chain's: it holds for people without a home branch. Zones in which the
    condition comes out the same cost nothing, so a chain in one zone never joins its branches.
    """
    usual = build(LocalDay.at(now, zone))
    apart = {
        name: condition
        for name in branch_zones
        if (condition := build(LocalDay.at(now, name))) != usual
    }
    if not apart:
        return usual
    elsewhere = [
        Q(home_branch__time_zone=name) & condition for name, condition in sorted(apart.items())
    ]
    at_home = does_not_hold(Q(home_branch__time_zone__in=sorted(apart))) & usual
    return Q(at_home, *elsewhere, _connector=Q.OR)
