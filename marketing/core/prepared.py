"""Statements that are run over and over: parsed and planned on the server once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils.connection import ConnectionProxy


def keep_statements(connection: BaseDatabaseWrapper | ConnectionProxy) -> None:
    """Have the connection, not yet open, keep its statements parsed and planned on the server.

    For workers whose statements are few; elsewhere plans made for the values at hand are worth
    more than the planning they cost.
    """
    options = {
        **connection.settings_dict["OPTIONS"],
        "server_side_binding": True,
        "prepare_threshold": 5,
    }
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}


class _Keeping(psycopg.Cursor[Any]):
    def execute(self, query: Any, params: Any = None, **_options: Any) -> "_Keeping":
        return super().execute(query, params, prepare=True)

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        """Remembered, as Django's log of statements asks for it."""
        self._query = super()._convert_query(query, params)
        return self._query


# A cursor remembers how each type travels: a new one for each statement takes as long as the rest.
_spare: WeakKeyDictionary[BaseDatabaseWrapper, list[_Keeping]] = WeakKeyDictionary()


@contextmanager
def kept_cursor() -> Iterator[CursorWrapper]:
    """For a statement of one text that every bill asks: planning it takes longer than its answer.

    Its plan is not made for the values at hand. `KEEP_STATEMENTS` off makes it an ordinary cursor.
    What is asked is read inside the block: the next one has the same cursor.
    """
    # Looked up once: what Django calls `connection` does so for each of its attributes.
    database = connections[DEFAULT_DB_ALIAS]
    if not settings.KEEP_STATEMENTS:
        with database.cursor() as cursor:
            yield cursor
        return
    # As Django's own cursors begin: a connection that the server has closed since is opened anew.
    database.close_if_health_check_failed()
    database.ensure_connection()
    opened = database.connection
    # None forbids it to every cursor; Django's own bind on our side and keep nothing anyway.
    if opened.prepare_threshold is None:
        opened.prepare_threshold = 1
    spare = _spare.setdefault(database, [])
    keeping: Any = spare.pop() if spare else None
    # One of a connection that was closed goes with it.
    if keeping is None or keeping.connection is not opened:
        keeping = _Keeping(opened)
    wrap = database.make_debug_cursor if database.queries_logged else database.make_cursor
    try:
        yield wrap(keeping)
    finally:
        spare.append(keeping)


def bigints(values: Iterable[int | None]) -> str:
    """The numbers as PostgreSQL writes a `bigint[]`.

    A list's type goes by its largest number, and a statement is kept once for each type.
    """
    return "{" + ",".join(["NULL" if each is None else str(each) for each in values]) + "}"
