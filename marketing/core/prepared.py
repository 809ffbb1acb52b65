"""Statements that are run over and over: parsed and planned on the server once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
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


@contextmanager
def kept_cursor() -> Iterator[CursorWrapper]:
    """For a statement of one text that every bill asks: planning it takes longer than its answer.

    Its plan is not made for the values at hand. `KEEP_STATEMENTS` off makes it an ordinary cursor.
    """
    if not settings.KEEP_STATEMENTS:
        with connection.cursor() as cursor:
            yield cursor
        return
    # As Django's own cursors begin: a connection that the server has closed since is opened anew.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    # None forbids it to every cursor; Django's own bind on our side and keep nothing anyway.
    if connection.connection.prepare_threshold is None:
        connection.connection.prepare_threshold = 1
    keeping: Any = _Keeping(connection.connection)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(keeping) as cursor:
        yield cursor


def bigints(values: Iterable[int | None]) -> str:
    """The numbers as PostgreSQL writes a `bigint[]`.

    A list's type goes by its largest number, and a statement is kept once for each type.
    """
    return "{" + ",".join(["NULL" if each is None else str(each) for each in values]) + "}"
