"""Statements that are run over and over: parsed and planned on the server once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils.connection import ConnectionProxy

from marketing.core.postgresql.base import Answer, DatabaseWrapper


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


def keeps_all_statements(connection: BaseDatabaseWrapper | ConnectionProxy) -> bool:
    """Whether `keep_statements` was said of it."""
    return bool(connection.settings_dict["OPTIONS"].get("server_side_binding"))


def _database() -> DatabaseWrapper:
    # Looked up once: what Django calls `connection` does so for each of its attributes.
    return cast(DatabaseWrapper, connections[DEFAULT_DB_ALIAS])


@contextmanager
def kept_cursor() -> Iterator[CursorWrapper]:
    """For a statement of one text that every bill asks: planning it takes longer than its answer.

    Its plan is not made for the values at hand. `KEEP_STATEMENTS` off makes it an ordinary cursor.
    What is asked is read inside the block: the next one has the same cursor.
    """
    database = _database()
    with database.kept_cursor() if settings.KEEP_STATEMENTS else database.cursor() as cursor:
        yield cursor


def send_later(statement: str, values: Any = None) -> None:
    """Send a kept statement with the next one, or the commit: nobody reads its answer.

    Not for what may be refused: the refusal would be taken for the next one's.
    """
    _database().send_later(statement, values)


def ask_later(statement: str, values: Any) -> Answer:
    """Ask by a kept statement that travels with the next one; its `rows` are read after that.

    Not for what may be refused, as `send_later`; a lock that is not had in time is told with
    whatever comes next.
    """
    return _database().ask_later(statement, values)


def bigints(values: Iterable[int | None]) -> str:
    """The numbers as PostgreSQL writes a `bigint[]`.

    A list's type goes by its largest number, and a statement is kept once for each type.
    """
    return "{" + ",".join(["NULL" if each is None else str(each) for each in values]) + "}"
