"""Whose CPU time a measurement took: ours, the database's, or that of others on the machine.

Interrupts are left out: on loopback they are mostly the measurement's own, and belong to nobody.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

PROC = Path("/proc")
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
