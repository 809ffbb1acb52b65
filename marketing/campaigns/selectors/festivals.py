"""The chain's festivals: the known ones of its country as it corrected them, and its own days."""

import calendar
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import get_language

from marketing.campaigns.festivals import known_days
from marketing.campaigns.models import Festival
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.tenancy import current_tenant


@dataclass(frozen=True)
class FestivalDay:
    """A festival on its day. `known` is empty, and `own_id` is set, of the chain's own."""

    day: dt.date
    name: str
    known: str = ""
    own_id: uuid.UUID | None = None
    is_estimated: bool = False
    is_moved: bool = False
    is_hidden: bool = False
    is_yearly: bool = False

    @property
    def key(self) -> str:
        """What names the festival in an address."""
        return self.known or str(self.own_id)


def festivals_between(first: dt.date, last: dt.date) -> list[FestivalDay]:
    """What the chain keeps from `first` to `last`, both included, by day; one query."""
    years = range(first.year, last.year + 1)
    return [each for each in _festivals(years) if first <= each.day <= last and not each.is_hidden]


def festivals_of_year(year: int) -> list[FestivalDay]:
    """All of a year, with those that the chain leaves out."""
    return _festivals([year])


def get_own_festival(actor: Actor, pk: uuid.UUID) -> Festival:
    """A day of the chain's own. Raises `NotFound`."""
    found = Festival.objects.filter(pk=pk, known="").first() if actor.can("campaign.view") else None
    if found is None:
        raise NotFound()
    return found


def _festivals(years: Iterable[int]) -> list[FestivalDay]:
    years = tuple(years)
    said = Festival.objects.filter(Q(year=None) | Q(year__in=years))
    own: list[Festival] = []
    left_out: set[str] = set()
    moved: dict[int, dict[str, dt.date]] = defaultdict(dict)
    for row in said:
        if not row.known:
            own.append(row)
        elif row.year is None or row.day is None:
            left_out.add(row.known)
        else:
            moved[row.year][row.known] = row.day
    found = [each for year in years for each in _known(year, moved[year], left_out)]
    found += [each for row in own for each in _own(row, years)]
    return sorted(found, key=lambda each: (each.day, each.name))


def _known(year: int, moved: dict[str, dt.date], left_out: set[str]) -> Iterator[FestivalDay]:
    days = known_days(current_tenant().country, year)
    for each in days:
        key = each.known.key
        to = moved.get(key)
        # Of one that comes twice in the year, the nearer is meant.
        is_moved = to is not None and each is min(
            (other for other in days if other.known is each.known),
            key=lambda other: abs(other.day - to),
        )
        yield FestivalDay(
            day=to if is_moved and to else each.day,
            name=str(each.known.name),
            known=key,
            is_estimated=each.is_estimated and not is_moved,
            is_moved=is_moved,
            is_hidden=key in left_out,
        )


def _own(row: Festival, years: Sequence[int]) -> Iterator[FestivalDay]:
    assert row.day is not None
    is_hindi = (get_language() or "").startswith("hi")
    for year in years:
        if year != row.day.year and not (row.is_yearly and year > row.day.year):
            continue
        # What is kept on 29 February is kept on the 28th in other years.
        last = calendar.monthrange(year, row.day.month)[1]
        day = row.day.replace(year=year, day=min(row.day.day, last))
        yield FestivalDay(
            day=day,
            name=row.name_hi if is_hindi and row.name_hi else row.name,
            own_id=row.pk,
            is_yearly=row.is_yearly,
        )
