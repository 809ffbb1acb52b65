"""An instance: a PostgreSQL and a Valkey with their data, belonging to one checkout."""

import fcntl
import hashlib
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from config.embedded.account import Account, current_account
from config.embedded.errors import ServerError
from config.embedded.postgres import Postgres
from config.embedded.server import Server
from config.embedded.state import State
from config.embedded.valkey import Valkey

CHECKOUT = Path(__file__).resolve().parents[2]
THROW_AWAY = "test"


class Instance:
    """`run`, `test`, `bench` or any other name of up to 20 small letters, digits and hyphens.

    `test` gives up durability for speed; all others keep every committed row.

    State and locks live in `.local/<name>/` of the checkout. So does the data, unless the servers
    run as the system user: then it lives below that user's home, keyed by the checkout's path.
    """

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r"[a-z0-9-]{1,20}", name):
            raise ServerError(
                f"{name!r} is no name of an instance: small letters, digits, hyphens."
            )
        if not sys.platform.startswith("linux"):
            raise ServerError("The embedded servers need Linux; set DATABASE_URL and BROKER_URL.")
        self.name = name
        self.directory = CHECKOUT / ".local" / name
        self._key = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:10]

    @contextmanager
    def locked(self) -> Iterator[list[Server]]:
        """The servers, while nobody else starts or stops them."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self.directory / "lifecycle.lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._servers()

    def erase(self) -> None:
        """Throw all data away. Raises `ServerError` while somebody uses it."""
        with self.locked() as servers:
            self._stop_unused(servers)
            account = current_account()
            for directory in (self._data_directory(account), self._socket_directory(account)):
                shutil.rmtree(directory, ignore_errors=True)
            if account.home:
                with suppress(OSError):  # Another instance is left.
                    self._data_directory(account).parent.rmdir()
            for entry in self.directory.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry)
                elif entry.suffix not in {
                    ".lock",
                    ".users",
                }:  # Others may be waiting on these files.
                    entry.unlink()

    def stop(self) -> None:
        """Stop the servers. Raises `ServerError` while somebody uses them."""
        with self.locked() as servers:
            self._stop_unused(servers)
            for server in servers:
                server.state.is_kept = False

    def _stop_unused(self, servers: list[Server]) -> None:
        used = [server.title for server in servers if server.is_used()]
        if used:
            raise ServerError(f"In use by a running command, not stopped: {', '.join(used)}.")
        for server in servers:
            server.stop()

    def _servers(self) -> list[Server]:
        account = current_account()
        data = self._data_directory(account)
        sockets = self._socket_directory(account)
        state = State(self.directory / "state.json")
        common: dict[str, Any] = {
            "account": account,
            "state": state,
            "label": self.label,
            "durable": self.name != THROW_AWAY,
        }
        servers: list[Server] = [
            Postgres(directory=data / "postgres", socket_directory=sockets, **common),
            Valkey(directory=data / "valkey", **common),
        ]
        if data.exists() and not state.path.exists():
            # Left by a checkout that was deleted: without its passwords nobody can open it.
            for server in servers:
                server.stop()
            shutil.rmtree(data)
        if account.home:
            account.make_directory(data.parent)
        account.make_directory(data)
        account.make_directory(sockets)
        return servers

    @property
    def label(self) -> str:
        """Names the instance among all of this machine's."""
        return f"parlour-{self._key}-{self.name}"

    def _data_directory(self, account: Account) -> Path:
        if account.home is None:
            return self.directory / "data"
        return account.home / self._key / self.name

    def _socket_directory(self, account: Account) -> Path:
        """A short path whatever the checkout's: those of Unix sockets end at 107 bytes."""
        if account.home is None:
            return Path(f"/tmp/{self.label}-{account.uid}")
        return self._data_directory(account) / "socket"
