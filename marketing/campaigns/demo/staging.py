"""Temporary tables and draws: the demo's rows are made in PostgreSQL, a set at a time.

`pg_temp.draw(n, what)` gives a number from 0 up to, not including, 1 that depends on the seed,
on `n` and on `what` alone: the same seed draws the same lots, in whatever order.
`pg_temp.make_id(n, what)` gives a UUID of version 7 that grows with `n`, from half an hour ago
on, and `pg_temp.make_id_at(milliseconds, n, what)` one of that time since 1970; `uuidv7()` takes
longer to make an id than the rest of a row takes.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.db.models import Model
from psycopg import sql

from marketing.core import clock
from marketing.core.models import Tenant

FIFTY_THREE_BITS = (1 << 53) - 1

DRAW = f"""
    CREATE OR REPLACE FUNCTION pg_temp.draw(n bigint, what text) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        ((hashint8extended(n, hashtextextended(what, {{seed}})) >> 11) & {FIFTY_THREE_BITS})::float8
        / {FIFTY_THREE_BITS + 1}::float8
"""

# Version 7: milliseconds, 12 bits of `n`, and 62 bits that differ from seeding to seeding.
MAKE_ID_AT = """
    CREATE OR REPLACE FUNCTION pg_temp.make_id_at(milliseconds bigint, n bigint, what text)
    RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN encode(
        int8send((milliseconds << 16) | 28672 | (n & 4095))
        || int8send((hashint8extended(n, hashtextextended(what, {salt})) & 4611686018427387903)
                    | -9223372036854775808), 'hex')::uuid
"""
# 4,096 ids a millisecond.
MAKE_ID = """
    CREATE OR REPLACE FUNCTION pg_temp.make_id(n bigint, what text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        pg_temp.make_id_at({start} + (n >> 12), n, what)
"""
ID_HEAD_START = dt.timedelta(minutes=30)


def prepare(seed: int) -> None:
    """Make the functions, and give the transaction's plans memory for whole tables."""
    start = int((clock.now() - ID_HEAD_START).timestamp() * 1000)
    execute(sql.SQL(DRAW).format(seed=sql.Literal(seed)).as_string(None))
    salt = sql.Literal(secrets.randbits(62))
    execute(sql.SQL(MAKE_ID_AT).format(salt=salt).as_string(None))
    execute(sql.SQL(MAKE_ID).format(start=sql.Literal(start)).as_string(None))
    execute("SET LOCAL work_mem = '256MB'")


@contextmanager
def whole_tables() -> Iterator[None]:
    """Have plans expect whole tables, until there are statistics.

    Tables filled in this very transaction have none: the planner would take them for small ones
    and visit them row by row, or keep answers that nobody asks for twice. At the body's end
    their owner has analyzed them.
    """
    execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_memoize = off")
    yield
    if connection.alias == "owner":
        execute("SET LOCAL enable_nestloop = on; SET LOCAL enable_memoize = on")


@contextmanager
def unchecked_keys() -> Iterator[None]:
    """Leave foreign keys unchecked in the body, where the role may.

    For rows that name keys of rows just written: checking takes as long as writing them.
    Elsewhere they are checked at once: until the commit the queue of those to check would
    grow larger than the tables.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
        (may,) = cursor.fetchone()
    if not may:
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield
        return
    execute("SET LOCAL session_replication_role = replica")
    yield
    execute("SET LOCAL session_replication_role = origin")


@contextmanager
def filled_at_once(*models: type[Model]) -> Iterator[None]:
    """Have tables that the body fills indexed at its end and not logged, where that is right.

    Making an index from all rows, on several cores, takes a fraction of adding row after row to
    it. Those of primary keys and other constraints stay. A table written anew, as CLUSTER does,
    goes to the disk itself at the commit; a server that nobody replicates then writes no log of
    it. But the tables stay locked until the commit, so only where no other chain uses them; and
    only their owner may.
    """
    if connection.alias != "owner" or Tenant.objects.count() > 1:
        yield
        return
    tables = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
            WHERE indrelid = ANY(%s::regclass[])
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
            ORDER BY indexrelid
            """,
            [tables],
        )
        indexes = cursor.fetchall()
        cursor.execute("DROP INDEX " + ", ".join(name for name, _ in indexes))
        for table in tables:
            cursor.execute(f"CLUSTER {table} USING {table}_pkey")
            cursor.execute(f"ALTER TABLE {table} SET WITHOUT CLUSTER")
    yield
    for _, definition in indexes:
        execute(definition)


@contextmanager
def owner_connection() -> Iterator[None]:
    """Work as the database's owner, where a connection for it is set up.

    Row-level security stands aside for the owner, who may also leave keys unchecked.
    """
    if "owner" not in settings.DATABASES:
        yield
        return
    application = connections["default"]
    connections["default"] = connections["owner"]
    try:
        yield
    finally:
        connections["default"] = application


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
        count: int = cursor.rowcount
        cursor.execute(f"ANALYZE {table}")
    return count


def analyze(*models: type[Model]) -> None:
    """Take statistics of tables just filled; only their owner may."""
    if connection.alias == "owner":
        execute("ANALYZE " + ", ".join(model._meta.db_table for model in models))


def execute(statement: str, parameters: dict[str, Any] | None = None) -> int:
    """Run a statement; returns the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        count: int = cursor.rowcount
    return count


def _create(
    cursor: Any, table: str, definition: str, parameters: dict[str, Any] | None = None
) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
    cursor.execute(f"CREATE TEMPORARY TABLE {table} {definition}", parameters)
