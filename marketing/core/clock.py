"""The one place where the present is read, so that tests and benches can live in another."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone


def now() -> dt.datetime:
    """The present, in UTC."""
    return timezone.now()


def local_day(moment: dt.datetime, zone: str) -> dt.date:
    """The day on which `moment` falls in the named zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def local_month(moment: dt.datetime, zone: str) -> dt.date:
    """First day of the month in which `moment` falls in the named zone."""
    return local_day(moment, zone).replace(day=1)
