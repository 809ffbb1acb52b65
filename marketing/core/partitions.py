"""Monthly partitions of the append tables, made ahead by functions the owner defined."""

import datetime as dt
import logging

from django.apps import apps
from django.db import connection
from django.utils import timezone

from marketing.core.tenancy import AppendModel

logger = logging.getLogger(__name__)

MONTHS_AHEAD = 3


def append_tables() -> list[str]:
    """The names of every append table."""
    return sorted(
        model._meta.db_table for model in apps.get_models() if issubclass(model, AppendModel)
    )


def ensure_partitions(since: dt.date, until: dt.date) -> None:
    """Make every append table's partitions for the months from `since` to `until`."""
    with connection.cursor() as cursor:
        for table in append_tables():
            cursor.execute("SELECT ensure_partitions(%s, %s, %s)", [table, since, until])


def keep_ahead() -> list[str]:
    """Make this month's partitions and the next three; returns tables with stray rows.

    A row in a DEFAULT partition means that its month was missing when it came: it is
    reported as an error, because that month's partition can no longer be attached.
    """
    today = timezone.now().date()
    ensure_partitions(today, today + dt.timedelta(days=31 * MONTHS_AHEAD))
    stray = stray_tables()
    for table in stray:
        logger.error("rows in the DEFAULT partition of %s", table)
    return stray


def stray_tables() -> list[str]:
    """The append tables with rows in their DEFAULT partition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE default_has_rows(name)",
            [append_tables()],
        )
        return [name for (name,) in cursor.fetchall()]


def drop_before(tables: list[str], before: dt.date) -> int:
    """Drop these append tables' partitions of the months before that one; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(drop_partitions(name, %s)) FROM unnest(%s::text[]) AS name",
            [before, tables],
        )
        (dropped,) = cursor.fetchone()
    return int(dropped)


def months_before(day: dt.date, months: int) -> dt.date:
    """The first day of the month that many months before the day's."""
    total = day.year * 12 + day.month - 1 - months
    return dt.date(total // 12, total % 12 + 1, 1)
