"""The whole product on the bench's database: web, worker, dispatch and beat, as `make run` has it.

Only the sandbox is missing: a bench brings its own vendor.
"""

import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import redis

from bench import ground, machine
from config import supervisor
from config.embedded.command import die_with_parent
from config.supervisor import Program

OURS = {"config.wsgi": "bench.server", "--app=config.celery": "--app=bench.celery_app"}
HOST = "127.0.0.1"
SAID = 5_000


@dataclass(frozen=True)
class Web:
    """The web server: where it listens, and the first of its processes."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """What its processes have taken so far."""
        return machine.family_seconds(self.pid)


@contextmanager
def web(*, nothing: bool = False) -> Iterator[Web]:
    """The web server alone; `nothing`: one that only answers."""
    port = ground.free_port()
    extra = {"BENCH_NOTHING": "1"} if nothing else {}
    with _running([_programs(port)["web"]], extra) as (pid,):
        ground.wait_for(f"http://{HOST}:{port}/healthz", seconds=60)
        yield Web(port, pid)


@contextmanager
def everything(dispatchers: int = 2) -> Iterator[int]:
    """All programs, with so many dispatch workers: the web server's port."""
    from django.core.management import call_command

    call_command("sync_schedules", stdout=io.StringIO())
    _forget_tasks()
    port = ground.free_port()
    programs = _programs(port)
    dispatch = programs["dispatch"]
    words = [f"--concurrency={dispatchers}" if w == "--concurrency=2" else w
             for w in dispatch.command]  # fmt: skip
    programs["dispatch"] = replace(dispatch, command=tuple(words))
    with _running(programs.values(), {}):
        ground.wait_for(f"http://{HOST}:{port}/healthz", seconds=60)
        yield port


def _programs(port: int) -> dict[str, Program]:
    return {
        program.name: replace(program, command=tuple(OURS.get(w, w) for w in program.command))
        for program in supervisor.services(port)
        if program.name != "sandbox"
    }


@contextmanager
def _running(programs: Iterable[Program], extra: dict[str, str]) -> Iterator[list[int]]:
    """The process ids of the programs, each in a group of its own and killed at the end."""
    with tempfile.TemporaryFile() as said:
        started = [
            subprocess.Popen(
                program.command,
                cwd=ground.ROOT,
                env={**os.environ, **extra},
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
            for program in programs
        ]
        try:
            yield [process.pid for process in started]
            ended = [p.args for p in started if p.poll() is not None]
            if ended:
                raise RuntimeError(f"{ended} ended")
        except RuntimeError:
            # Why a server refused stands in what it said.
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace")[-SAID:])
            raise
        finally:
            for process in started:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _forget_tasks() -> None:
    """What an earlier bench asked for and nobody did: Celery's queues are lists of these names."""
    with redis.Redis.from_url(os.environ["BROKER_URL"]) as broker:
        broker.delete("default", "campaign-messages")
