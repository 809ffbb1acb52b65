"""What takes part when two customers become one: every table that names a customer.

Each app registers its tables. `move` runs in the merge's transaction with both customers locked
and returns what was done as JSON; `restore` is given that back, and undoes it: what came to the
survivor since is not in it, and so stays where it is.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models


@dataclass(frozen=True)
class Merge:
    """`merged` becomes one with `survivor`, or comes apart from it again."""

    survivor: uuid.UUID
    merged: uuid.UUID


@dataclass(frozen=True)
class Holding:
    """Rows of `model` (an app label and a name) that name customers in the field `field`."""

    model: str
    move: Callable[[Merge], Any]
    restore: Callable[[Merge, Any], None]
    field: str = "customer"

    @property
    def name(self) -> str:
        return f"{self.model}.{self.field}"


_holdings: dict[str, Holding] = {}
_left: dict[str, str] = {}


def register(holding: Holding) -> None:
    """Add a table, called while apps are loaded; moved in this order, undone in reverse."""
    _holdings[holding.name] = holding


def register_rows(model: str, field: str = "customer") -> None:
    """Add a table whose rows only change whose they are."""
    column = f"{field.removesuffix('_id')}_id"

    def table() -> type[models.Model]:
        from django.apps import apps

        return apps.get_model(model)

    register(
        Holding(
            model,
            lambda merge: move_rows(table(), merge, column),
            lambda merge, moved: restore_rows(table(), merge, moved, column),
            field,
        )
    )


def register_single_rows(model: str, key: str = "", only: str = "") -> None:
    """Add a table with one row a customer, or one for each value of the column `key`.

    The survivor's own stay; of the other's, those she has none of are hers then. `only` is a
    condition in SQL for the rows that take part.
    """

    def table() -> type[models.Model]:
        from django.apps import apps

        return apps.get_model(model)

    register(
        Holding(
            model,
            lambda merge: move_rows(table(), merge, where=_has_none(table(), key, only)),
            lambda merge, moved: restore_rows(table(), merge, moved),
        )
    )


def leave(model: str, field: str, why: str) -> None:
    """Name a column that a merge does not touch, and the reason."""
    _left[f"{model}.{field}"] = why


def holdings() -> tuple[Holding, ...]:
    """What every app registered."""
    return tuple(_holdings.values())


def left() -> dict[str, str]:
    """The columns that stay as they are, each with the reason."""
    return dict(_left)


def _has_none(model: type[models.Model], key: str, only: str) -> str:
    table = model._meta.db_table
    same = f"AND own.{key} = {table}.{key}" if key else ""
    none = f"NOT EXISTS (SELECT FROM {table} own WHERE own.customer_id = %(survivor)s {same})"
    return f"{none} AND {only}" if only else none


def move_rows(
    model: type[models.Model], merge: Merge, column: str = "customer_id", where: str = "true"
) -> list[str]:
    """Give the survivor the rows of who is merged; returns their ids."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE {column} = %(merged)s AND {where}"  # noqa: S608  ours
            " ORDER BY id FOR UPDATE",
            {"merged": merge.merged, "survivor": merge.survivor},
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        _give(table, column, ids, merge.survivor)
    return [str(pk) for pk in ids]


def restore_rows(
    model: type[models.Model], merge: Merge, ids: Sequence[str], column: str = "customer_id"
) -> None:
    """Give back the rows that are still the survivor's."""
    table = model._meta.db_table
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE id = ANY(%s::uuid[]) AND id BETWEEN %s AND %s"  # noqa: S608  ours
            f" AND {column} = %s ORDER BY id FOR UPDATE",
            [list(ids), ids[0], ids[-1], merge.survivor],
        )
        _give(table, column, [pk for (pk,) in cursor.fetchall()], merge.merged)


def _give(table: str, column: str, ids: Sequence[uuid.UUID], customer_id: uuid.UUID) -> None:
    if not ids:
        return
    # The bounds tell an append table in which months to look.
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE id = ANY(%s) AND id BETWEEN %s AND %s",  # noqa: S608  ours
            [customer_id, list(ids), ids[0], ids[-1]],
        )
