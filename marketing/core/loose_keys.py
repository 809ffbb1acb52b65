"""The nightly check that stands in for the foreign keys of the append tables, in and out.

A database would look for each row's parent while it is written; here one statement a key looks for
those of a day. A parent is committed with its child or before it, so that a statement which sees
the child sees the parent too, however much is being written meanwhile.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import OperationalError, connection, models, transaction
from django.utils import timezone

from marketing.core.ids import lower_bound
from marketing.core.models import LooseKeyCheck
from marketing.core.tenancy import AppendModel

logger = logging.getLogger(__name__)

# An hour more than what lies between two nights, for a check that begins late.
DAY = dt.timedelta(hours=25)
# How much of what was looked at before is looked at again: ids are made before they are committed.
OVERLAP = dt.timedelta(hours=1)
# A million rows beside a million customers take a second; far beyond that something is wrong.
PATIENCE = "2min"


@dataclass(frozen=True, order=True)
class LooseKey:
    """A column that names a row of another table, `parent`; one of the two is an append table."""

    table: str
    column: str
    parent: str

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


def loose_keys() -> list[LooseKey]:
    """Every key out of an append table or into one; PostgreSQL knows of none of them."""
    return sorted(
        LooseKey(model._meta.db_table, column, parent._meta.db_table)
        for model in apps.get_models()
        for column, parent in _keys_of(model)
        if issubclass(model, AppendModel) or issubclass(parent, AppendModel)
    )


def _keys_of(model: type[models.Model]) -> Iterator[tuple[str, type[models.Model]]]:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            yield field.column, field.related_model
    for column, label in getattr(model, "plain_keys", {}).items():
        yield column, apps.get_model(label)


def dangling_keys() -> list[LooseKeyCheck]:
    """The keys with rows that the last check of them found without their parent."""
    return list(LooseKeyCheck.objects.filter(dangling__gt=0).order_by("name"))


def check_parents() -> list[LooseKeyCheck]:
    """Look for the parents of the rows made since the last check, of every chain; keep the result.

    Never less than a day is looked at, and what was found is looked at again until it is mended. A
    key that could not be looked at in time keeps what was found before, and is not returned.
    """
    keys = loose_keys()
    found = []
    former = {check.name: check for check in LooseKeyCheck.objects.all()}
    for key in keys:
        try:
            check = _check(key, _since(former.get(key.name)))
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
                ", ".join(check.examples),
            )
        found.append(check)
    with transaction.atomic():
        LooseKeyCheck.objects.exclude(name__in=[key.name for key in keys]).delete()
        LooseKeyCheck.objects.bulk_create(
            found,
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["dangling", "examples", "since", "checked_at"],
        )
    return found


def _since(former: LooseKeyCheck | None) -> dt.datetime:
    """From when on rows are looked at."""
    a_day_ago = timezone.now() - DAY
    if former is None:
        return a_day_ago
    if former.dangling:
        return min(a_day_ago, former.since)
    return min(a_day_ago, former.checked_at - OVERLAP)


def _check(key: LooseKey, since: dt.datetime) -> LooseKeyCheck:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [PATIENCE])
        cursor.execute(
            "SELECT dangling, examples FROM dangling_rows(%s, %s, %s, %s)",
            [key.table, key.column, key.parent, lower_bound(since)],
        )
        dangling, examples = cursor.fetchone()
    return LooseKeyCheck(
        name=key.name,
        dangling=dangling,
        examples=examples,
        since=since,
        checked_at=timezone.now(),
    )
