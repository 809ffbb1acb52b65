"""Amounts, shares, hours and names as sentences have them."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketing.core.templatetags.formats import (
    clock_time,
    exact_percent,
    format_number,
    with_symbol,
)
from marketing.core.tenancy import current_tenant
from marketing.coupons.pricing.terms import EVERY_DAY, HourWindow, Weekday

SHOWN = 3
MINUTES_AN_HOUR = 60


def rupees(paise: int) -> str:
    """₹499, or ₹499.50 where there are odd paise."""
    places = 2 if paise % 100 else 0
    return with_symbol(format_number(Decimal(paise) / 100, places), current_tenant().currency)


def share(basis_points: int) -> str:
    """12.5%."""
    return exact_percent(Decimal(basis_points) / 100)


def listed(ids: Collection[str], names: Mapping[str, str]) -> str:
    """The names, in order: the first three and how many more there are."""
    known = sorted(names.get(each, _("something that is gone")) for each in ids)
    more = len(known) - SHOWN
    if more < 2:
        return ", ".join(known)
    told = ngettext("%(names)s and %(more)d more", "%(names)s and %(more)d more", more)
    return told % {"names": ", ".join(known[:SHOWN]), "more": more}


def clock(minute: int) -> str:
    """3:30 p.m.; the end of a day is 12:00 a.m."""
    hour, rest = divmod(minute % (24 * MINUTES_AN_HOUR), MINUTES_AN_HOUR)
    return clock_time(dt.time(hour, rest))


def weekday_names() -> dict[Weekday, str]:
    """Monday to Sunday, short."""
    words = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return dict(zip(Weekday, words, strict=True))


def hours(window: HourWindow) -> str:
    """Tue, Wed 11:00 a.m.-4:00 p.m."""
    names = weekday_names()
    days = (
        _("every day")
        if window.weekdays == EVERY_DAY
        else ", ".join(names[day] for day in sorted(window.weekdays))
    )
    if window.start == 0 and window.until in (0, 24 * MINUTES_AN_HOUR):
        return days
    return f"{days} {clock(window.start)}-{clock(window.until)}"
