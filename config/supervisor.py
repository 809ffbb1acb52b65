"""Parlour on one machine: `python -m config.supervisor`, run by `make run` beside its servers.

Brings the database up to date, then runs web, workers, beat and the sandbox provider together,
their log lines prefixed with their names. All of them stop when told to, or when one of them dies.
"""

import fcntl
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn, TextIO

from config.embedded.command import die_with_parent
from config.embedded.state import State

CHECKOUT = Path(__file__).resolve().parents[1]
DIRECTORY = Path(os.environ.get("PARLOUR_STATE_DIR", CHECKOUT / ".local" / "supervisor"))
HOST = "127.0.0.1"
WEB_PORT = int(os.environ.get("PORT", "8000"))
SANDBOX_PORT = 8025
STOP_SECONDS = 20
READ_BYTES = 1 << 16
READY_SECONDS = 600
# In the environment of all that a supervisor starts: its state directory.
MARK = "PARLOUR_SUPERVISED_FROM"
COLOURS = (36, 33, 35, 32, 34, 31)


@dataclass(frozen=True)
class Program:
    """A command line and the name its output carries."""

    name: str
    command: tuple[str, ...]


BRING_UP = Program("bring-up", (sys.executable, "-m", "config.bring_up"))
CONNECT_SANDBOX = Program("connect", (sys.executable, "manage.py", "connect_sandbox"))


def services(web_port: int) -> list[Program]:
    """What runs until told to stop."""
    gunicorn = (sys.executable, "-m", "gunicorn", "config.wsgi", f"--bind={HOST}:{web_port}")
    # Two processes a core: of threads, one that reckons keeps the others of its process waiting.
    # What all have read from the start is loaded once and shared.
    workers = ("--worker-class=gthread", "--workers=4", "--threads=4", "--preload")
    # A connection a request: each goes to the worker that is free. One that is kept binds its
    # client to the worker that took it first, however busy, and nearly all are taken by one.
    fresh = ("--keep-alive=0",)
    celery = (sys.executable, "-m", "celery", "--quiet", "--app=config.celery")
    quiet = ("--loglevel=WARNING", "--without-gossip", "--without-mingle")
    worker = ("worker", "--hostname=worker@%h", "--concurrency=2", *quiet)
    dispatch = ("worker", "--hostname=dispatch@%h", "--concurrency=2", *quiet)
    beat = ("beat", "--scheduler=django_celery_beat.schedulers:DatabaseScheduler", "--pidfile=")
    return [
        Program("web", (*gunicorn, *workers, *fresh, "--no-control-socket")),
        Program("worker", celery + worker),
        Program("dispatch", (*celery, *dispatch, "--queues=campaign-messages")),
        Program("beat", celery + beat),
        Program("sandbox", (sys.executable, "-m", "marketing.delivery.sandbox")),
    ]


class ProgramError(Exception):
    """A program ended that should not have, or ended with an error."""

    def __init__(self, program: Program, code: int) -> None:
        reason = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        super().__init__(f"{program.name} {reason}")


@dataclass
class Running:
    program: Program
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    prefix: str
    kept_lines: list[str] | None
    unfinished_line: bytes = b""


class Supervisor:
    """Runs programs as children in process groups of their own and prints what they print."""

    def __init__(self, environment: Mapping[str, str], output: TextIO) -> None:
        self.environment = environment
        self.output = output
        self.running: list[Running] = []
        self.started = 0
        self.stop_requested = False
        self.outputs = selectors.DefaultSelector()

    def request_stop(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        self.stop_requested = True

    def run_to_end(self, program: Program) -> list[str]:
        """Run one program and return the lines it printed.

        Raises `ProgramError` unless it succeeds, `KeyboardInterrupt` when asked to stop meanwhile.
        """
        lines: list[str] = []
        running = self._start(program, lines)
        while running.process.poll() is None:
            self._forward_output(seconds=0.1)
            if self.stop_requested:
                raise KeyboardInterrupt
        self._finish(running)
        self.running.remove(running)
        if running.process.returncode:
            raise ProgramError(program, running.process.returncode)
        return lines

    def run_together(self, programs: Sequence[Program]) -> NoReturn:
        """Run until asked to stop (`KeyboardInterrupt`) or a program ends (`ProgramError`)."""
        for program in programs:
            self._start(program)
        while not self.stop_requested:
            self._forward_output(seconds=0.2)
            for running in self.running:
                if running.process.poll() is not None:
                    self._finish(running)
                    raise ProgramError(running.program, running.process.returncode)
        raise KeyboardInterrupt

    def stop(self, grace: float = STOP_SECONDS) -> None:
        """Ask all programs to stop; kill, with all their descendants, those that do not."""
        for running in self.running:
            running.process.terminate()
        deadline = time.monotonic() + grace
        while self._alive() and time.monotonic() < deadline:
            self._forward_output(seconds=0.1)
        for running in self._alive():
            self.say(f"{running.program.name} does not stop; killing it.")
        for running in self.running:
            with suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()
            self._finish(running)

    def say(self, text: str) -> None:
        self.output.write(f"{text}\n")
        self.output.flush()

    def _alive(self) -> list[Running]:
        return [running for running in self.running if running.process.poll() is None]

    def _start(self, program: Program, kept_lines: list[str] | None = None) -> Running:
        # A process group of its own: Ctrl-C in the terminal reaches us alone, who stop in order.
        process = subprocess.Popen(
            program.command,
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
            preexec_fn=die_with_parent,
        )
        assert process.stdout
        os.set_blocking(process.stdout.fileno(), False)
        prefix = self._prefix(program.name)
        running = Running(program, process, process.stdout, prefix, kept_lines)
        self.running.append(running)
        self.outputs.register(process.stdout, selectors.EVENT_READ, running)
        return running

    def _prefix(self, name: str) -> str:
        colour = COLOURS[self.started % len(COLOURS)]
        self.started += 1
        prefix = f"{name:>9} | "
        return f"\033[{colour}m{prefix}\033[0m" if self.output.isatty() else prefix

    def _forward_output(self, seconds: float) -> None:
        """Print the lines that have come in, waiting up to `seconds` for the first."""
        for key, _ in self.outputs.select(seconds):
            self._read(key.data)

    def _read(self, running: Running) -> bool:
        """Print the complete lines of the next piece of output; whether there was one."""
        data = running.output.read(READ_BYTES)
        *lines, running.unfinished_line = (running.unfinished_line + (data or b"")).split(b"\n")
        for line in lines:
            self._print(running, line)
        if data == b"":  # The program and all that inherited its output have ended.
            self._close(running)
        return bool(data)

    def _finish(self, running: Running) -> None:
        """Print what an ended program left to read."""
        while not running.output.closed and self._read(running):
            pass
        self._close(running)

    def _close(self, running: Running) -> None:
        if not running.output.closed:
            self._print(running, running.unfinished_line)
            self.outputs.unregister(running.output)
            running.output.close()

    def _print(self, running: Running, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            if running.kept_lines is not None:
                running.kept_lines.append(text)
            self.say(running.prefix + text)


@dataclass
class HeldPort:
    """A port of the loopback address, listened on until it is handed over or let go.

    Another supervisor passes it by for as long as it is locked: also while nobody listens yet,
    between handing it over and the start of the program that it is for.
    """

    number: int
    listening: socket.socket
    lock: int

    def hand_over(self) -> None:
        self.listening.close()

    def let_go(self) -> None:
        self.listening.close()
        os.close(self.lock)


def hold_port(wanted: int) -> HeldPort:
    """`wanted` or the next port on the loopback address that is free."""
    for port in range(wanted, wanted + 1000):
        with suppress(OSError):
            lock = lock_port(port)
            try:
                return HeldPort(port, socket.create_server((HOST, port)), lock)
            except OSError:
                os.close(lock)
    raise OSError(f"No free port on {HOST} from {wanted} on.")


def lock_port(port: int) -> int:
    """An open file that keeps the port ours. Raises OSError when it is another supervisor's."""
    path = Path(tempfile.gettempdir(), f"parlour-port-{port}.lock")
    try:
        # Without O_CREAT, which is refused for somebody else's file in a sticky directory.
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        file = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def first_free_port(wanted: int) -> int:
    """`wanted` or the next port on the loopback address that nobody listens on."""
    held = hold_port(wanted)
    held.let_go()
    return held.number


def end_leftovers() -> int:
    """Kill what a supervisor of this state directory left when it was killed; returns how many.

    Its programs were told to stop by the kernel, but one may hang; two beats do everything twice.
    """
    mark = f"{MARK}={DIRECTORY}".encode()
    ended = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):  # It ended meanwhile, or is another account's.
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
                ended += 1
    return ended


def call_when_ready(url: str, announce: Callable[[], None]) -> None:
    """Call `announce` once `url` answers 200; give up quietly after ten minutes."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                announce()
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)


def child_environment(web_port: int, sandbox_port: int) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "PUBLIC_BASE_URL": f"http://{HOST}:{web_port}",
        "SANDBOX_SECRET": State(DIRECTORY / "state.json").password("sandbox"),
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        MARK: str(DIRECTORY),
        "SANDBOX_URL": f"http://{HOST}:{sandbox_port}",
        "SANDBOX_HOST": HOST,
        "SANDBOX_PORT": str(sandbox_port),
        "SANDBOX_DATA_DIR": str(DIRECTORY / "sandbox"),
        "SPOOL_DIR": str(DIRECTORY / "spool"),
    }


def run_parlour(output: TextIO) -> int:
    """Run everything until told to stop; returns the exit code."""
    end_leftovers()
    # Held while the database is made ready, which takes long enough for another to take them.
    held = hold_port(WEB_PORT), hold_port(SANDBOX_PORT)
    web_port, sandbox_port = (port.number for port in held)
    environment = child_environment(web_port, sandbox_port)
    supervisor = Supervisor(environment, output)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, supervisor.request_stop)

    def greet() -> None:
        # The sandbox learns of the demo's accounts as a vendor would in its dashboard.
        connected = subprocess.run(
            CONNECT_SANDBOX.command, cwd=CHECKOUT, env=environment, capture_output=True, text=True
        )
        if connected.returncode and not supervisor.stop_requested:
            supervisor.say(f"{CONNECT_SANDBOX.name}: {connected.stderr.strip()}")
        addresses = f"Parlour: {address}/  Phone inbox: {environment['SANDBOX_URL']}/"
        supervisor.say("\n".join(["", addresses, *logins, "Ctrl-C stops everything.", ""]))

    try:
        supervisor.say("Bringing the database up to date …")
        logins = supervisor.run_to_end(BRING_UP)
        address = f"http://{HOST}:{web_port}"
        waiting = (f"{address}/healthz", greet)
        for port in held:
            port.hand_over()
        threading.Thread(target=call_when_ready, args=waiting, daemon=True).start()
        supervisor.run_together(services(web_port))
    except KeyboardInterrupt:
        supervisor.say("Stopping.")
        return 0
    except ProgramError as death:
        supervisor.say(f"\n*** {death}. Stopping everything. ***\n")
        return 1
    finally:
        supervisor.stop()


def main() -> int:
    DIRECTORY.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(DIRECTORY / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # Two beats would do everything twice.
            print("Parlour is already running from this checkout.", file=sys.stderr)
            return 1
        return run_parlour(sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
