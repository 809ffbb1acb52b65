"""How far from a place somebody lives: plain latitude and longitude, no PostGIS."""

import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from marketing.segments.local_time import LocalDay
from marketing.segments.sources import Source
from marketing.segments.value_types.base import VALUELESS, ValueType
from marketing.segments.value_types.numbers import Number

EARTH_RADIUS_KM = 6371.0088
# All but half-way round the earth.
FARTHEST_KM = 20_000

Point = tuple[float, float]


@dataclass(frozen=True)
class Circle:
    """All places within `km` of a point."""

    latitude: float
    longitude: float
    km: float

    @property
    def half_chord(self) -> float:
        """The square of the sine of half the angle: what the haversine gives at the rim."""
        return math.sin(self.km / EARTH_RADIUS_KM / 2) ** 2

    def latitudes(self) -> Point:
        """The lowest and highest latitude of the circle, a pole at most."""
        reach = math.degrees(self.km / EARTH_RADIUS_KM) + _SLACK
        return max(-90.0, self.latitude - reach), min(90.0, self.latitude + reach)

    def longitudes(self) -> list[Point]:
        """The longitudes of the circle: one span, two across the 180th meridian.

        A circle that holds a pole has every longitude.
        """
        angle = self.km / EARTH_RADIUS_KM
        if math.radians(abs(self.latitude)) + angle + math.radians(_SLACK) >= math.pi / 2:
            return [(-180.0, 180.0)]
        reach = math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(self.latitude))))
        west, east = self.longitude - reach - _SLACK, self.longitude + reach + _SLACK
        if west <= -180:
            return [(west + 360, 180.0), (-180.0, east)]
        if east >= 180:
            return [(west, 180.0), (-180.0, east - 360)]
        return [(west, east)]


# Degrees: a little over a metre, so that rounding never puts a place outside the box.
_SLACK = 0.00001


class Place(ValueType):
    """Where somebody lives, by the distance from a branch or a point.

    `{"km": 5, "branch": id}` or `{"km": 5, "lat": 19.07, "lng": 72.87}`. `find_branch` gives
    the point of a branch of the open tenant; it raises ValueError for one that has none.
    """

    name = "place"
    operators = ("within_km", "beyond_km", "is_set", "not_set")

    def __init__(self, find_branch: Callable[[uuid.UUID], Point]) -> None:
        self.find_branch = find_branch

    def clean(self, value: Any) -> Circle:
        if not isinstance(value, Mapping) or set(value) not in _SHAPES:
            raise ValueError(_("Give a distance in km, and a branch or a latitude and longitude."))
        km = Number(whole=False).clean(value["km"])
        if not 0 < km <= FARTHEST_KM:
            raise ValueError(_("Enter a distance above 0 and up to 20,000 km."))
        if "branch" in value:
            return Circle(*self.find_branch(_as_id(value["branch"])), km)
        return Circle(
            _coordinate(value["lat"], 90, _("Enter a latitude from -90 to 90.")),
            _coordinate(value["lng"], 180, _("Enter a longitude from -180 to 180.")),
            km,
        )

    def chosen(self, operand: Any) -> list[Any]:
        return []

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in VALUELESS:
            return super().condition(source, op, operand, day)
        within = source.compare("within", operand)
        return source.is_known() & ~within if op == "beyond_km" else within

    def read(self, stored: Any, day: LocalDay) -> str | None:
        if stored is None:
            return None
        return f"{stored['latitude']:.4f}, {stored['longitude']:.4f}"


_SHAPES = ({"km", "branch"}, {"km", "lat", "lng"})


def _coordinate(value: Any, most: int, message: str) -> float:
    try:
        number = Number(whole=False).clean(value)
    except ValueError:
        raise ValueError(message) from None
    if abs(number) > most:
        raise ValueError(message)
    return float(number)


def _as_id(value: Any) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise ValueError(_("There is no such branch.")) from None
