"""A worker's append-only note of what it started and what was answered.

It survives a kill -9 of the process (not a loss of the machine: then everything under way
is unknown). Lines are JSON: `["lease", batch, tenant, token]`, `["start", [ids]]`,
`["answers", [outcomes]]`. A live worker holds a lock on its file; a file that can be locked was
left behind.
"""

import fcntl
import logging
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from marketing.delivery.dispatch.lease import Lease
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.rules import Result, ResultClass

logger = logging.getLogger(__name__)


def folder() -> Path:
    """Where this machine's journals lie."""
    path = Path(settings.SPOOL_DIR) / "journal"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


class Journal:
    """The journal of this process, locked for as long as it lives."""

    def __init__(self) -> None:
        self.path = folder() / f"{uuid.uuid4()}.jsonl"
        # Under its name only once it is locked: nobody may take it for one left behind.
        unlocked = self.path.with_suffix(".new")
        self._file = os.open(unlocked, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unlocked.rename(self.path)

    def lease(self, lease: Lease) -> None:
        self._write(["lease", lease.batch_id, lease.tenant_id, lease.token])

    def start(self, message_ids: Sequence[uuid.UUID]) -> None:
        """Note that the requests of these messages are about to be made."""
        self._write(["start", message_ids])

    def answers(self, outcomes: Sequence[Outcome]) -> None:
        """Note how requests ended."""
        self._write(["answers", outcomes])

    def close(self) -> None:
        """Everything noted is in the database: the file has done its work."""
        self.path.unlink(missing_ok=True)
        os.close(self._file)

    def leave(self) -> None:
        """Let go of the file without removing it: another worker settles what it says."""
        os.close(self._file)

    def _write(self, entry: list[object]) -> None:
        os.write(self._file, orjson.dumps(entry) + b"\n")


@dataclass
class Notes:
    """What a journal that was left behind says."""

    leases: list[tuple[int, uuid.UUID, uuid.UUID]] = field(default_factory=list)
    started: set[uuid.UUID] = field(default_factory=set)
    answers: dict[uuid.UUID, Outcome] = field(default_factory=dict)


@contextmanager
def abandoned() -> Iterator[list[Notes]]:
    """The notes of workers that are gone; their files go once the body has succeeded."""
    held: list[tuple[int, Path]] = []
    try:
        found = []
        for path in sorted(folder().glob("*.jsonl")):
            try:
                file = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                continue
            held.append((file, path))
            try:
                found.append(read(path))
            except (ValueError, TypeError, LookupError):
                # It is kept for people; what was under way becomes unknown when its lease ends.
                logger.exception("a journal that was left behind cannot be read")
                path.rename(path.with_suffix(".unreadable"))
        yield found
        for _, path in held:
            path.unlink(missing_ok=True)
    finally:
        for file, _ in held:
            os.close(file)


def read(path: Path) -> Notes:
    """Read a journal; a last line cut short by the kill counts as not written."""
    notes = Notes()
    for line in path.read_bytes().split(b"\n")[:-1]:
        kind, *entry = orjson.loads(line)
        if kind == "lease":
            batch_id, tenant_id, token = entry
            notes.leases.append((batch_id, uuid.UUID(tenant_id), uuid.UUID(token)))
        elif kind == "start":
            notes.started.update(map(uuid.UUID, entry[0]))
        else:
            for answer in entry[0]:
                outcome = _outcome(**answer)
                notes.answers[outcome.message_id] = outcome
    return notes


def _outcome(*, message_id: str, result: dict[str, Any], tries: int, segments: int) -> Outcome:
    result["outcome"] = ResultClass(result["outcome"])
    return Outcome(uuid.UUID(message_id), Result(**result), tries, segments)
