"""Whose CPU time a measurement took: ours, the database's, or that of others on the machine.

Interrupts are left out: on loopback they are mostly the measurement's own, and belong to nobody.
"""

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

PROC = Path("/proc")
MEMORY_SECONDS = 1.0
TICKS = os.sysconf("SC_CLK_TCK")
CPUS = os.cpu_count() or 1
# A pair of measurements beside which others took more of the machine is dropped.
QUIET = 0.10


@dataclass
class Load:
    """CPU seconds over `seconds` of the clock; None where they cannot be told."""

    seconds: float = 0.0
    database: float | None = None
    foreign: float | None = None

    @property
    def foreign_share(self) -> float | None:
        """The part of the machine that others took, from 0 to 1."""
        if self.foreign is None:
            return None
        return round(max(self.foreign, 0.0) / (self.seconds * CPUS), 3)


@contextmanager
def watched() -> Iterator[Load]:
    """Fills what it gives when the body ends."""
    load = Load()
    postmaster, valkey = _postmaster(), _valkey()
    begun, busy, database, ours = time.monotonic(), *_spent(postmaster, valkey)
    yield load
    load.seconds = time.monotonic() - begun
    busy_then, database_then, ours_then = _spent(postmaster, valkey)
    if postmaster:
        load.database = database_then - database
    if busy_then:
        load.foreign = (busy_then - busy) - (database_then - database) - (ours_then - ours)


def peak_megabytes() -> float:
    """The most memory this process has held; `getrusage` would count its parent's too."""
    status = (PROC / "self" / "status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def memory_watched(root: int, programs: Mapping[str, str]) -> Iterator[dict[str, int]]:
    """Fills what it gives: the most megabytes that each of a process's programs held at once.

    A program is known by a part of its command line; shared pages are divided among who shares
    them. PostgreSQL is counted with its shared buffers, Valkey whole.
    """
    peaks: dict[str, int] = {}
    servers = {"PostgreSQL": _postmaster(), "Valkey": _valkey()}
    is_over = threading.Event()

    def look() -> None:
        parents, _ticks = _table()
        held: Counter[str] = Counter()
        for pid in parents:
            line = _line(pid, parents)
            name = next((name for name, server in servers.items() if server in line), "")
            if not name and root in line:
                command = _text(pid, "cmdline").replace("\0", " ")
                name = next((name for name, part in programs.items() if part in command), "")
            if name:
                held[name] += _proportional_kilobytes(pid)
        for name, kilobytes in held.items():
            peaks[name] = max(peaks.get(name, 0), round(kilobytes / 1024))

    def keep_looking() -> None:
        while not is_over.wait(MEMORY_SECONDS):
            look()

    watcher = threading.Thread(target=keep_looking)
    watcher.start()
    try:
        yield peaks
    finally:
        is_over.set()
        watcher.join()


def _proportional_kilobytes(pid: int) -> int:
    found = re.search(r"^Pss: +(\d+) kB", _text(pid, "smaps_rollup"), re.MULTILINE)
    return int(found[1]) if found else 0


def _text(pid: int, name: str) -> str:
    """A file of the process's, empty when it is gone."""
    try:
        return (PROC / str(pid) / name).read_text()
    except OSError:
        return ""


def family_seconds(root: int) -> float:
    """CPU seconds so far of a process and all that it started."""
    parents, ticks = _table()
    return _family(root, parents, ticks)


def _spent(postmaster: int | None, valkey: int | None) -> tuple[float, float, float]:
    """CPU seconds so far: of the whole machine, of PostgreSQL, of us with what we started."""
    try:
        first_line = (PROC / "stat").read_text().split("\n", 1)[0]
    except OSError:
        return 0.0, 0.0, 0.0
    user, nice, system, _idle, _wait, _irq, _softirq, steal = map(int, first_line.split()[1:9])
    parents, ticks = _table()
    ours = sum(_family(root, parents, ticks) for root in (os.getpid(), valkey))
    busy = (user + nice + system + steal) / TICKS
    return busy, _family(postmaster, parents, ticks), ours


def _table() -> tuple[dict[int, int], dict[int, int]]:
    """Of every process its parent, and its CPU ticks with those of ended children."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))):
            pid = int(entry.name)
            parents[pid] = int(fields[1])
            ticks[pid] = sum(map(int, fields[11:15]))
    return parents, ticks


def _family(root: int | None, parents: dict[int, int], ticks: dict[int, int]) -> float:
    return sum(own for pid, own in ticks.items() if root in _line(pid, parents)) / TICKS


def _fields(pid: int) -> list[str]:
    """Of /proc/<pid>/stat what follows the name: state, parent, …; empty when it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _line(pid: int, parents: dict[int, int]) -> list[int]:
    """The process, its parent, and so on."""
    line = [pid]
    while (pid := parents.get(pid, 0)) and pid not in line:
        line.append(pid)
    return line


def _postmaster() -> int | None:
    """PostgreSQL's first process, where it runs on this machine."""
    with psycopg.connect(os.environ["DATABASE_ADMIN_URL"]) as connection:
        backend = connection.info.backend_pid
        return int(_fields(backend)[1]) if _is_called(backend, "postgres") else None


def _valkey() -> int | None:
    with redis.Redis.from_url(os.environ["BROKER_URL"]) as client:
        pid = int(client.info("server")["process_id"])
    return pid if _is_called(pid, "valkey-server", "redis-server") else None


def _is_called(pid: int, *names: str) -> bool:
    try:
        return (PROC / str(pid) / "comm").read_text().strip() in names
    except OSError:
        return False
