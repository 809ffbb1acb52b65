"""The festivals that salons keep, and on which days they fall. Reads neither database nor clock.

The days come from the library `holidays`. Its list for Bangladesh lacks the Hindu and Buddhist
festivals, so these are taken from West Bengal's; what it marks as estimated follows the moon and
may be a day off; outside `FIRST_YEAR` to `LAST_YEAR` only festivals of fixed days are known.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from holidays.countries.bangladesh import Bangladesh
from holidays.countries.india import India

FIRST_YEAR, LAST_YEAR = 2001, 2035
ESTIMATED = " (estimated)"
# The first calendar of the chain's country that knows a festival is believed.
CALENDARS: Mapping[str, tuple[tuple[Any, str | None], ...]] = {
    "IN": ((India, None), (India, "WB")),
    "BD": ((Bangladesh, None), (India, "WB")),
}


@dataclass(frozen=True)
class Known:
    """A festival; `spelled` is the library's name for it by country, `fixed` month and day."""

    key: str
    name: str | Promise
    spelled: Mapping[str, str] = field(default_factory=dict)
    fixed: tuple[int, int] | None = None


@dataclass(frozen=True)
class KnownDay:
    """One day on which a known festival begins."""

    known: Known
    day: dt.date
    is_estimated: bool


def _in_both(spelling: str) -> dict[str, str]:
    return {"IN": spelling, "BD": spelling}


KNOWN = (
    Known("new-year", _("New Year"), fixed=(1, 1)),
    Known("makar-sankranti", _("Makar Sankranti and Pongal"), {"IN": "Makar Sankranti"}),
    Known("republic-day", _("Republic Day"), {"IN": "Republic Day"}),
    Known("saraswati-puja", _("Saraswati Puja"), _in_both("Basant Panchami / Shri Panchami")),
    Known("valentines-day", _("Valentine's Day"), fixed=(2, 14)),
    Known("maha-shivaratri", _("Maha Shivaratri"), {"IN": "Maha Shivaratri"}),
    Known("womens-day", _("Women's Day"), fixed=(3, 8)),
    Known("holi", _("Holi"), {"IN": "Holi", "BD": "Dolyatra"}),
    Known("eid-al-fitr", _("Eid al-Fitr"), _in_both("Eid al-Fitr")),
    Known("ugadi", _("Gudi Padwa and Ugadi"), {"IN": "Gudi Padwa"}),
    Known("ram-navami", _("Ram Navami"), {"IN": "Ram Navami"}),
    Known("baisakhi", _("Baisakhi"), {"IN": "Vaisakhi"}),
    Known(
        "pohela-boishakh",
        _("Pohela Boishakh"),
        {"IN": "Bengali New Year", "BD": "Bengali New Year's Day"},
    ),
    Known("buddha-purnima", _("Buddha Purnima"), _in_both("Buddha Purnima")),
    Known("eid-al-adha", _("Eid al-Adha"), _in_both("Eid al-Adha")),
    Known("independence-day", _("Independence Day"), _in_both("Independence Day")),
    Known("raksha-bandhan", _("Raksha Bandhan"), {"IN": "Raksha Bandhan"}),
    Known("janmashtami", _("Janmashtami"), _in_both("Janmashtami (Vaishnava)")),
    Known(
        "ganesh-chaturthi", _("Ganesh Chaturthi"), {"IN": "Ganesh Chaturthi / Vinayak Chaturthi"}
    ),
    Known("onam", _("Onam"), {"IN": "Onam"}),
    Known("durga-puja", _("Durga Puja"), _in_both("Mahasaptami")),
    Known("dussehra", _("Dussehra"), {"IN": "Dussehra"}),
    Known("karva-chauth", _("Karva Chauth"), {"IN": "Karaka Chaturthi (Karwa Chouth)"}),
    Known("diwali", _("Diwali"), {"IN": "Diwali", "BD": "Kali Puja"}),
    Known("bhai-dooj", _("Bhai Dooj"), {"IN": "Bhai Duj"}),
    Known("chhath", _("Chhath Puja"), {"IN": "Chhath Puja"}),
    Known("guru-nanak", _("Guru Nanak Jayanti"), {"IN": "Guru Nanak's Birthday"}),
    Known("victory-day", _("Victory Day"), {"BD": "Victory Day"}),
    Known("christmas", _("Christmas"), fixed=(12, 25)),
)
BY_KEY: Mapping[str, Known] = {known.key: known for known in KNOWN}


@lru_cache(maxsize=128)
def known_days(country: str, year: int) -> tuple[KnownDay, ...]:
    """The known festivals of a year in a country (ISO 3166, two letters), by day.

    One of several days stands on its first; Eid may come twice in a year.
    """
    calendars = [_calendar(made, part, year) for made, part in CALENDARS.get(country, ())]
    found = []
    for known in KNOWN:
        if known.fixed:
            found.append(KnownDay(known, dt.date(year, *known.fixed), False))
        elif country in known.spelled:
            days = (_days(calendar, known.spelled[country]) for calendar in calendars)
            found += [KnownDay(known, *day) for day in next(filter(None, days), [])]
    return tuple(sorted(found, key=lambda each: each.day))


def _calendar(country: Any, part: str | None, year: int) -> Mapping[dt.date, str]:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return {}
    categories = country.supported_categories
    made: Mapping[dt.date, str] = country(
        subdiv=part, years=year, categories=categories, language="en_US", expand=False
    )
    return made


def _days(calendar: Mapping[dt.date, str], spelling: str) -> list[tuple[dt.date, bool]]:
    """Each first day of this name, and whether it is estimated."""
    named = dict(_named(calendar, spelling))
    return [
        (day, is_estimated)
        for day, is_estimated in sorted(named.items())
        if day - dt.timedelta(days=1) not in named
    ]


def _named(calendar: Mapping[dt.date, str], spelling: str) -> Iterator[tuple[dt.date, bool]]:
    for day, names in calendar.items():
        for name in names.split("; "):
            if name.removesuffix(ESTIMATED) == spelling:
                yield day, name.endswith(ESTIMATED)
