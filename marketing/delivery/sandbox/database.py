"""The sandbox's one SQLite file: accounts, templates, the ledger and the callbacks it owes."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")
Values = tuple[Any, ...]

# A file of another version is put aside: nothing in it is worth a migration.
VERSION = 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, body TEXT NOT NULL);

-- What a message said, kept once for all messages that share it: a template version or a mail.
CREATE TABLE IF NOT EXISTS content (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS template (
    provider TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, language TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, rejected_reason TEXT NOT NULL,
    review_ms INTEGER, content_id INTEGER NOT NULL,
    PRIMARY KEY (provider, owner, name, language)
);

-- What was accepted. Its state follows from accepted_ms and steps; answer is faults.Answer.
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, provider TEXT NOT NULL, vendor_id TEXT NOT NULL,
    recipient TEXT NOT NULL, reference TEXT NOT NULL, accepted_ms INTEGER NOT NULL,
    steps TEXT NOT NULL, answer INTEGER NOT NULL, language TEXT NOT NULL,
    content_id INTEGER, variables TEXT NOT NULL, echo TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_reference ON message (reference);
CREATE INDEX IF NOT EXISTS message_recipient ON message (recipient, id);
CREATE INDEX IF NOT EXISTS message_sid ON message (vendor_id) WHERE provider LIKE 'twilio%';

CREATE TABLE IF NOT EXISTS inbound (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, provider TEXT NOT NULL, sender TEXT NOT NULL,
    received_ms INTEGER NOT NULL, text TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS inbound_sender ON inbound (sender, id);

-- People who stopped marketing from an account by the app's own control.
CREATE TABLE IF NOT EXISTS stopped (
    account TEXT NOT NULL, recipient TEXT NOT NULL, PRIMARY KEY (account, recipient)
);

-- Callbacks owed. A row goes when its receiver has answered 2xx.
CREATE TABLE IF NOT EXISTS callback (
    account TEXT NOT NULL, due_ms INTEGER NOT NULL, id INTEGER NOT NULL,
    happened_ms INTEGER NOT NULL, message_id INTEGER, event TEXT NOT NULL,
    cause TEXT NOT NULL, payload TEXT NOT NULL,
    PRIMARY KEY (account, due_ms, id)
) WITHOUT ROWID;

-- Faults that last until removed.
CREATE TABLE IF NOT EXISTS plan (account TEXT PRIMARY KEY, faults TEXT NOT NULL);

-- Where an account's notifications go once their receiver has confirmed that it wants them.
CREATE TABLE IF NOT EXISTS subscription (
    account TEXT PRIMARY KEY, url TEXT NOT NULL, token TEXT NOT NULL, confirmed INTEGER NOT NULL
);
"""


# How long a group of writes stays open for others to join it.
GROUP_WINDOW_S = 0.001


class Database:
    """One writing connection with group commit, and one reading thread beside it.

    Writes made within a millisecond of each other, by whichever requests, are one transaction.
    ``committed`` returns when the caller's writes are on disk.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _put_aside_another_version(path)
        self._writer = sqlite3.connect(path, isolation_level=None)
        self._writer.row_factory = sqlite3.Row
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        self._writer.execute("PRAGMA cache_size = -65536")
        self._writer.executescript(SCHEMA)
        self._writer.execute(f"PRAGMA user_version = {VERSION}")
        self._reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._reader.row_factory = sqlite3.Row
        self._reader.execute("PRAGMA query_only = ON")
        self._reading_thread = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="sandbox-reader"
        )
        self._waiting: list[asyncio.Future[None]] = []

    def write(self, statement: str, values: Values = ()) -> sqlite3.Cursor:
        self._open_group()
        return self._writer.execute(statement, values)

    def write_many(self, statement: str, rows: Iterable[Values]) -> None:
        self._open_group()
        self._writer.executemany(statement, rows)

    def rows(self, statement: str, values: Values = ()) -> list[sqlite3.Row]:
        """A short query; sees writes not yet committed."""
        return self._writer.execute(statement, values).fetchall()

    async def read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a query that may be long beside the event loop; sees committed writes."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reading_thread, query, self._reader)

    async def committed(self) -> None:
        if self._writer.in_transaction:
            written = asyncio.get_running_loop().create_future()
            self._waiting.append(written)
            await written

    def close(self) -> None:
        self._commit()
        self._reading_thread.shutdown()
        self._reader.close()
        self._writer.close()

    def _open_group(self) -> None:
        if not self._writer.in_transaction:
            self._writer.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(GROUP_WINDOW_S, self._commit)

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            if self._writer.in_transaction:
                self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            for written in waiting:
                if not written.done():
                    written.set_exception(error)
            return
        for written in waiting:
            if not written.done():
                written.set_result(None)


def _put_aside_another_version(path: Path) -> None:
    if not path.exists():
        return
    found = sqlite3.connect(path)
    try:
        ((version,),) = found.execute("PRAGMA user_version")
        is_empty = not found.execute("SELECT 1 FROM sqlite_schema").fetchall()
        if version == VERSION or is_empty:
            return
        # Back to one file, so that nothing of its log stays beside the new one.
        found.execute("PRAGMA journal_mode = DELETE")
    finally:
        found.close()
    path.replace(path.with_suffix(f".version-{version}"))
