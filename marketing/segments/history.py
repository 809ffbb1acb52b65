"""A segment's size from day to day, laid out as a chart."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from marketing.segments.models import Segment

DAYS = 90
# The chart's own units; it is drawn as wide as its card.
WIDTH, HEIGHT, MARGIN = 600, 140, 6


@dataclass(frozen=True)
class Point:
    """The size on a day, and where it stands."""

    day: dt.date
    count: int
    x: float
    y: float


@dataclass(frozen=True)
class History:
    """The days on which the segment was counted, oldest first."""

    points: list[Point]
    low: int
    high: int

    @property
    def line(self) -> str:
        """The points of an SVG line."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)

    @property
    def area(self) -> str:
        """The points of the surface below the line."""
        first, last = self.points[0], self.points[-1]
        return f"{first.x:.1f},{HEIGHT} {self.line} {last.x:.1f},{HEIGHT}"

    @property
    def first(self) -> Point:
        return self.points[0]

    @property
    def last(self) -> Point:
        return self.points[-1]

    @property
    def newest_first(self) -> list[Point]:
        return self.points[::-1]


def size_history(
    segment: Segment, branch_ids: Collection[uuid.UUID] | None, *, until: dt.date
) -> History | None:
    """The last ninety days within these home branches; None before there are two days."""
    since = until - dt.timedelta(days=DAYS)
    sizes = [
        (size.day, size.count_within(branch_ids))
        for size in segment.sizes.filter(day__gt=since).order_by("day")
    ]
    if len(sizes) < 2:
        return None
    counts = [count for _day, count in sizes]
    low, high = min(counts), max(counts)
    first, last = sizes[0][0], sizes[-1][0]

    def place(day: dt.date, count: int) -> Point:
        across = (day - first).days / (last - first).days
        up = (count - low) / (high - low) if high > low else 0.5
        y = HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)
        return Point(day, count, MARGIN + across * (WIDTH - 2 * MARGIN), y)

    return History([place(day, count) for day, count in sizes], low, high)
