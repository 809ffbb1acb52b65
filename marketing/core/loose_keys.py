"""The nightly check that stands in for the foreign keys of the append tables.

A database would look for each row's parent while it is written; here one statement a key looks for
those of a day. A parent is committed with its child or before it, so that a statement which sees
the child sees the parent too, however much is being written meanwhile.
"""

import datetime as dt
import logging
from dataclasses import dataclass

from django.db import OperationalError, connection, models, transaction
from django.utils import timezone

from marketing.core.ids import lower_bound
from marketing.core.models import LooseKeyCheck
from marketing.core.partitions import append_models

logger = logging.getLogger(__name__)

# An hour more than what lies between two nights, for a check that begins late.
DAY = dt.timedelta(hours=25)
# A million rows beside a million customers take a second; far beyond that something is wrong.
PATIENCE = "2min"


@dataclass(frozen=True, order=True)
class LooseKey:
    """A column of an append table that names a row of another table, `parent`."""

    table: str
    column: str
    parent: str

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


def loose_keys() -> list[LooseKey]:
    """Every foreign key of every append table; PostgreSQL knows of none of them."""
    return sorted(
        LooseKey(model._meta.db_table, field.column, field.related_model._meta.db_table)
        for model in append_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
    )


def dangling_keys() -> list[LooseKeyCheck]:
    """The keys with rows that the last check of them found without their parent."""
    return list(LooseKeyCheck.objects.filter(dangling__gt=0).order_by("name"))


def check_parents() -> list[LooseKeyCheck]:
    """Look for the parents of the last day's rows of every chain; what was found is kept.

    A key that could not be looked at in time keeps what was found before, and is not returned.
    """
    keys = loose_keys()
    since = timezone.now() - DAY
    found = []
    for key in keys:
        try:
            check = _check(key, since)
        except OperationalError:
            logger.exception("the parents of %s could not be looked for", key.name)
            continue
        if check.dangling:
            logger.error(
                "%d rows of %s name a %s in %s that is gone: %s",
                check.dangling,
                key.table,
                key.parent,
                key.column,
                ", ".join(map(str, check.examples)),
            )
        found.append(check)
    with transaction.atomic():
        LooseKeyCheck.objects.exclude(name__in=[key.name for key in keys]).delete()
        LooseKeyCheck.objects.bulk_create(
            found,
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["dangling", "examples", "checked_at"],
        )
    return found


def _check(key: LooseKey, since: dt.datetime) -> LooseKeyCheck:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [PATIENCE])
        cursor.execute(
            "SELECT dangling, examples FROM dangling_rows(%s, %s, %s, %s)",
            [key.table, key.column, key.parent, lower_bound(since)],
        )
        dangling, examples = cursor.fetchone()
    return LooseKeyCheck(
        name=key.name, dangling=dangling, examples=examples, checked_at=timezone.now()
    )
