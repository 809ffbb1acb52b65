"""Temporary tables and draws: the demo's rows are made in PostgreSQL, a set at a time.

`pg_temp.draw(n, what)` gives a number from 0 up to, not including, 1 that depends on the seed,
on `n` and on `what` alone: the same seed draws the same lots, in whatever order.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import sql

FIFTY_THREE_BITS = (1 << 53) - 1

DRAW = f"""
    CREATE OR REPLACE FUNCTION pg_temp.draw(n bigint, what text) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        ((hashint8extended(n, hashtextextended(what, {{seed}})) >> 11) & {FIFTY_THREE_BITS})::float8
        / {FIFTY_THREE_BITS + 1}::float8
"""


def prepare_draws(seed: int) -> None:
    """Make `pg_temp.draw` for this seed; it lasts as long as the connection."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(DRAW).format(seed=sql.Literal(seed)).as_string(None))


def stage_rows(table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows into a new temporary table; `columns` as in CREATE TABLE."""
    names = ", ".join(column.split()[0] for column in columns.split(","))
    with connection.cursor() as cursor:
        _create(cursor, table, f"({columns}) ON COMMIT DROP")
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(f"ANALYZE {table}")


def stage_query(table: str, query: str, parameters: dict[str, Any] | None = None) -> int:
    """Keep the result of a query in a new temporary table; returns the number of rows."""
    with connection.cursor() as cursor:
        _create(cursor, table, f"ON COMMIT DROP AS {query}", parameters)
        count = cursor.rowcount
        cursor.execute(f"ANALYZE {table}")
    return count


def execute(statement: str, parameters: dict[str, Any] | None = None) -> int:
    """Run a statement; returns the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def _create(
    cursor: Any, table: str, definition: str, parameters: dict[str, Any] | None = None
) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
    cursor.execute(f"CREATE TEMPORARY TABLE {table} {definition}", parameters)
