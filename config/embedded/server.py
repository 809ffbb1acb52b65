"""What PostgreSQL and Valkey have in common: users are counted, the last one out stops it."""

import fcntl
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO

from config.embedded.account import Account
from config.embedded.errors import ServerError
from config.embedded.processes import find_processes, wait_until
from config.embedded.state import State

STARTUP_SECONDS = 120
LOG_TAIL_LINES = 15


class Server(ABC):
    """One server of an instance. Its methods are for holders of the instance's lock."""

    title: str
    program: str
    replaced_by: str
    """The environment variable that, when set, names a server to use instead of this one."""

    def __init__(
        self, *, account: Account, state: State, label: str, directory: Path, durable: bool
    ) -> None:
        self.account = account
        self.state = state
        self.label = label
        self.directory = directory
        self.durable = durable

    @property
    def is_replaced(self) -> bool:
        """Whether the environment names another server, outright or by a file with its address."""
        return not os.environ.keys().isdisjoint({self.replaced_by, f"{self.replaced_by}_FILE"})

    @property
    def log(self) -> Path:
        return self.directory.with_name(f"{self.directory.name}.log")

    @property
    def _users_path(self) -> Path:
        return self.state.path.with_name(f"{self.program}.users")

    @property
    @abstractmethod
    def urls(self) -> dict[str, str]:
        """The environment variables through which programs find this server."""

    @abstractmethod
    def is_running(self) -> bool:
        """Whether it answers a query, and from our own data directory."""

    @abstractmethod
    def start(self) -> None:
        """Start it on a clean footing: stop or wait for whatever an earlier run left behind."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it in order; harmless when it does not run."""

    def processes(self) -> dict[int, str]:
        return find_processes(self.program, self.label, self.account.uid)

    def count_in(self) -> IO[str]:
        """Become a user until the returned file is closed; who inherits it counts on."""
        users = open(self._users_path, "a")  # noqa: SIM115 (the caller closes it)
        fcntl.flock(users, fcntl.LOCK_SH)
        return users

    def ensure_running(self, users: IO[str]) -> None:
        """Start the server unless it answers. Raises `ServerError`."""
        if self.is_running():
            return
        # Other users of a server that does not answer are about to notice and leave. Should they
        # be out of sight, in another container, a second server on the same data would ruin it.
        if not wait_until(lambda: is_only_user(users) or self.is_running(), STARTUP_SECONDS):
            raise ServerError(
                f"{self.title} does not answer, yet others are using {self.directory}."
            )
        if not self.is_running():
            self.start()
        fcntl.flock(users, fcntl.LOCK_SH)

    def count_out(self, users: IO[str]) -> None:
        """Stop being a user; stop the server when nobody is left and nobody asked to keep it."""
        with users:
            if not self.state.is_kept and is_only_user(users):
                self.stop()

    def is_used(self) -> bool:
        with self.count_in() as users:
            return not is_only_user(users)

    def fail(self, problem: str) -> ServerError:
        """An error that quotes the end of the server's log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return ServerError(
            "\n".join([f"{self.title} {problem}. {self.log}:", *lines[-LOG_TAIL_LINES:]])
        )

    def turn_log(self) -> None:
        """Keep the log of the previous run beside the one about to begin."""
        if self.log.exists():
            os.replace(self.log, self.log.with_suffix(".previous.log"))


def is_only_user(users: IO[str]) -> bool:
    """Whether no other open file shares the lock; keeps the lock, exclusively when alone."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(users, fcntl.LOCK_SH)  # A refused upgrade drops the shared lock.
        return False
    return True
