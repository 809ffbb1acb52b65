"""Periods of customers' uses, on the chain's calendar."""

import datetime as dt
from collections.abc import Sequence

from marketing.core.tenancy import current_tenant
from marketing.coupons.pricing.terms import Limits, Period
from marketing.coupons.rules import first_weekday, period_start


def weeks_from() -> int:
    """The weekday (0: Monday) on which the chain's weeks begin."""
    return first_weekday(current_tenant().country)


def period_starts(uses: Sequence[tuple[dt.date, Limits]]) -> list[dt.date]:
    """The first day of each period that a use lies in. The chain is asked for weeks alone."""
    begins = weeks_from() if any(_is_by_week(limits) for _day, limits in uses) else 0
    return [period_start(day, limits.period, begins) for day, limits in uses]


def _is_by_week(limits: Limits) -> bool:
    return limits.per_period is not None and limits.period is Period.WEEK
