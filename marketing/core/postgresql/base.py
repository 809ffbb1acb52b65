"""Django's PostgreSQL backend, going to the server and back less often.

A till waits for each way there and back, and a thread that comes back queues for the interpreter
again. So what nobody waits for the answer of (savepoints, whose scope it is, what a caller says
with `send_later` or asks with `ask_later`) stays in the process and travels with the next
statement, or with the commit, in their order and in one piece: PostgreSQL's pipeline, see psycopg's
"Pipeline mode support".
"""

import math
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper

# After so long without an answer even a silent connection is asked: who stands between may have
# forgotten it.
TRUSTED_SECONDS = 60


class Answer:
    """What a statement that waits was answered: sent by the next one, or by whoever reads it."""

    def __init__(self, database: "DatabaseWrapper") -> None:
        self._database = database
        self._rows: list[tuple[Any, ...]] | None = None

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """Raises `RuntimeError` where the statement was rolled back before it was sent."""
        if self._rows is None:
            self._database.send_waiting()
        if self._rows is None:
            raise RuntimeError("this was never asked: its savepoint was rolled back")
        return self._rows

    def read(self, cursor: Any) -> None:
        self._rows = cursor.fetchall()


class _Waiting(NamedTuple):
    statement: str
    values: Any
    is_kept: bool
    answer: Answer | None = None


class _Logged(psycopg.Cursor[Any]):
    """Remembers what it asked, as Django's log of statements wants it."""

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        self._query = super()._convert_query(query, params)
        return self._query


class KeptCursor(_Logged):
    """Its statements stay parsed and planned on the server, and what waits goes with them."""

    def __init__(self, database: "DatabaseWrapper") -> None:
        super().__init__(database.connection)
        self.database = database

    def execute(self, query: Any, params: Any = None, **_options: Any) -> "KeptCursor":
        if not self.database.has_waiting:
            return super().execute(query, params, prepare=True)
        with self.database.after_what_waits():
            super().execute(query, params, prepare=True)
        return self


class _Sending(_Logged):
    """For what waited: its answers are looked at for errors only."""

    is_kept = True

    def execute(self, query: Any, params: Any = None, **_options: Any) -> "_Sending":
        return super().execute(query, params, prepare=self.is_kept)


# What is ignored below are methods that every backend has and the stubs leave out.
class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: list[_Waiting] = []
        # A cursor remembers how each type travels: a new one for each statement takes as long as
        # the rest.
        self._spare: list[KeptCursor] = []
        self._sending: _Sending | None = None
        self._answered_at = -math.inf
        self.execute_wrappers.append(self._after_what_waits)

    @contextmanager
    def kept_cursor(self) -> Iterator[CursorWrapper]:
        """A cursor whose statements stay parsed and planned; what is asked is read inside."""
        # As Django's own cursors begin: a connection that the server has closed is opened anew.
        self.close_if_health_check_failed()
        self.ensure_connection()
        # None forbids it to every cursor; Django's own bind on our side and keep nothing anyway.
        if self.connection.prepare_threshold is None:
            self.connection.prepare_threshold = 1
        kept = self._spared()
        try:
            yield self._wrapped(kept)
        finally:
            self._spare.append(kept)

    def _spared(self) -> KeptCursor:
        kept = self._spare.pop() if self._spare else None
        # One of a connection that was closed goes with it.
        if kept is None or kept.connection is not self.connection:
            kept = KeptCursor(self)
        return kept

    def send_later(self, statement: str, values: Any = None, *, is_kept: bool = True) -> None:
        """Send it with what is asked next, or with the commit, where no one reads its answer.

        In a transaction only; elsewhere, and where statements are not kept, it is sent now. What
        may be refused is not for this: the refusal comes with the next statement.
        """
        if self.in_atomic_block and settings.KEEP_STATEMENTS:
            self._waiting.append(_Waiting(statement, values, is_kept))
        else:
            with self.cursor() as cursor:
                cursor.execute(statement, values)

    def ask_later(self, statement: str, values: Any) -> Answer:
        """As `send_later`, for who reads the answer when the next statement has its own."""
        answer = Answer(self)
        if self.in_atomic_block and settings.KEEP_STATEMENTS:
            self._waiting.append(_Waiting(statement, values, True, answer))
        else:
            with self.cursor() as cursor:
                cursor.execute(statement, values)
                answer.read(cursor)
        return answer

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    @contextmanager
    def after_what_waits(self) -> Iterator[None]:
        """What waits is sent, and the body's statement behind it, in one piece."""
        waiting, self._waiting = self._waiting, []
        asked: list[tuple[Answer, KeptCursor]] = []
        with self.connection.pipeline():
            for statement, values, is_kept, answer in waiting:
                if answer is None:
                    self._send(statement, values, is_kept)
                else:
                    kept = self._spared()
                    asked.append((answer, kept))
                    self._wrapped(kept).execute(statement, values)
            yield
        for answer, kept in asked:
            answer.read(kept)
            self._spare.append(kept)

    def _send(self, statement: str, values: Any, is_kept: bool) -> None:
        sending = self._sending
        if sending is None or sending.connection is not self.connection:
            sending = self._sending = _Sending(self.connection)
        sending.is_kept = is_kept
        self._wrapped(sending).execute(statement, values)

    def is_usable(self) -> bool:
        """As Django has it, but within a minute of the last answer only the socket is asked.

        A server that has closed the connection, or fallen, has said so there.
        """
        now = time.monotonic()
        if now - self._answered_at < TRUSTED_SECONDS and self._is_silent():
            return True
        answered: bool = super().is_usable()
        if answered:
            self._answered_at = now
        return answered

    def _is_silent(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        socket = select.poll()
        socket.register(self.connection.pgconn.socket, select.POLLIN)
        return not socket.poll(0)

    def _wrapped(self, cursor: Any) -> CursorWrapper:
        wrap = self.make_debug_cursor if self.queries_logged else self.make_cursor
        return wrap(cursor)

    def _cursor(self, name: str | None = None) -> CursorWrapper:
        self.send_waiting()
        cursor: CursorWrapper = super()._cursor(name)  # type: ignore[misc]
        return cursor

    def _after_what_waits(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Around what Django's own cursors execute, which may have been opened before."""
        if not isinstance(context["cursor"].cursor, _Logged):
            self.send_waiting()
        return execute(sql, params, many, context)

    def send_waiting(self) -> None:
        """Now, for whoever does not go on with a statement of the kept ones."""
        if self._waiting:
            self.ensure_connection()
            with self.wrap_database_errors, self.after_what_waits():
                pass

    def _savepoint(self, sid: str) -> None:
        self.send_later(self.ops.savepoint_create_sql(sid), is_kept=False)

    def _savepoint_commit(self, sid: str) -> None:
        self.send_later(self.ops.savepoint_commit_sql(sid), is_kept=False)

    def _savepoint_rollback(self, sid: str) -> None:
        """What still waits since the savepoint is never sent."""
        begin = self.ops.savepoint_create_sql(sid)
        places = [place for place, each in enumerate(self._waiting) if each.statement == begin]
        del self._waiting[places[0] + 1 if places else 0 :]
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def _commit(self) -> None:
        if not self._waiting:
            super()._commit()  # type: ignore[misc]
            return
        with self.wrap_database_errors, self.after_what_waits():
            super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        self._waiting.clear()
        super()._rollback()  # type: ignore[misc]

    def _close(self) -> None:
        self._waiting.clear()
        self._spare.clear()
        self._sending = None
        super()._close()  # type: ignore[misc]
