import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from config.embedded.errors import ServerError
from config.embedded.processes import signal_all, wait_until
from config.embedded.programs import postgres_programs
from config.embedded.server import STARTUP_SECONDS, Server
from config.embedded.tuning import machine_memory, postgres_settings, shared_memory_type
from config.prepare_database import APP_ROLE, OWNER_ROLE, prepare_server

ADMIN_ROLE = "parlour_admin"
DATABASE = "parlour"
CHILD_EXIT_SECONDS = 5


class Postgres(Server):
    """PostgreSQL on a Unix socket only, in a directory closed to other users, with passwords."""

    title = "PostgreSQL"
    program = "postgres"
    replaced_by = "DATABASE_URL"

    def __init__(self, *, socket_directory: Path, **common: Any) -> None:
        super().__init__(**common)
        self.socket_directory = socket_directory

    @property
    def urls(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self._url(APP_ROLE, "app"),
            "DATABASE_OWNER_URL": self._url(OWNER_ROLE, "owner"),
            "DATABASE_ADMIN_URL": self._url(ADMIN_ROLE, "admin"),
        }

    def is_running(self) -> bool:
        try:
            with psycopg.connect(
                self._url(ADMIN_ROLE, "admin", "postgres"), connect_timeout=10
            ) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]) == self.directory

    def start(self) -> None:
        if self._postmaster() is None or not wait_until(self.is_running, STARTUP_SECONDS):
            self._clear_leftovers()
            if not self.directory.exists():
                self._create_cluster()
            self._require_same_major_version()
            self._write_configuration()
            self._launch()
        prepare_server(
            self._url(ADMIN_ROLE, "admin", "postgres"),
            database=DATABASE,
            owner_password=self.state.password("owner"),
            app_password=self.state.password("app"),
        )

    def stop(self) -> None:
        if self._postmaster() is not None:
            self._control("stop", "--mode", "fast", "--timeout", str(STARTUP_SECONDS))
        self._clear_leftovers()

    def _url(self, role: str, password: str, database: str = DATABASE) -> str:
        secret = self.state.password(password)
        return f"postgresql://{role}:{secret}@/{database}?host={self.socket_directory}"

    def _postmaster(self) -> int | None:
        """The pid of the main process; its children show the label but not the option."""
        option = f"cluster_name={self.label}"
        return next((pid for pid, command in self.processes().items() if option in command), None)

    def _clear_leftovers(self) -> None:
        """End what remains of a server that was killed, and the files that name its pid.

        The pid may belong to any process by now, or to a dead one that nobody has buried, and
        PostgreSQL would refuse to start.
        """
        for number in (signal.SIGQUIT, signal.SIGKILL):
            signal_all(self.processes(), number)
            if wait_until(lambda: not self.processes(), CHILD_EXIT_SECONDS):
                break
        (self.directory / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.socket_directory.glob(".s.PGSQL.*.lock"):
            lock.unlink(missing_ok=True)

    def _create_cluster(self) -> None:
        unfinished = self.directory.with_name(f"{self.directory.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self.directory.with_name("initdb.password")
        self.account.write_file(password_file, self.state.password("admin"))
        try:
            result = self.account.run(
                [
                    postgres_programs(self.account) / "initdb",
                    *("--pgdata", unfinished, "--username", ADMIN_ROLE),
                    *("--auth", "scram-sha-256", "--pwfile", password_file),
                    *("--encoding", "UTF8", "--no-locale"),
                    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                    *([] if self.durable else ["--no-sync"]),
                ],
                cwd=self.directory.parent,
            )
        finally:
            password_file.unlink()
        if result.returncode:
            raise ServerError(f"initdb failed:\n{result.stdout}")
        unfinished.rename(self.directory)

    def _require_same_major_version(self) -> None:
        data = (self.directory / "PG_VERSION").read_text().strip()
        version = self.account.run(
            [postgres_programs(self.account) / "postgres", "--version"], Path("/")
        )
        if version.stdout.split()[-1].split(".")[0] != data:
            raise ServerError(
                f"{self.directory} was made by PostgreSQL {data}, "
                f"installed is {version.stdout.strip()}. "
                "Dump it with the old version, or throw it away with `make reset`."
            )

    def _write_configuration(self) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_directory),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "lc_messages": "C",
            "default_text_search_config": "pg_catalog.simple",
            "dynamic_shared_memory_type": shared_memory_type(),
            **postgres_settings(machine_memory(), durable=self.durable),
        }
        self.account.write_file(self.directory / "postgresql.conf", format_settings(settings))
        self.account.write_file(self.directory / "pg_hba.conf", "local all all scram-sha-256\n")

    def _launch(self) -> None:
        self.turn_log()
        wait = ("--wait", "--timeout", str(STARTUP_SECONDS))
        options = ("--options", f"-c cluster_name={self.label}")
        code = self._control("start", *wait, "--log", str(self.log), *options)
        if code or not self.is_running():
            raise self.fail("did not start")

    def _control(self, *arguments: str) -> int:
        program = postgres_programs(self.account) / "pg_ctl"
        command: tuple[str | Path, ...] = (program, "--pgdata", self.directory, *arguments)
        return self.account.run(command, cwd=self.directory).returncode


def format_settings(settings: Mapping[str, str]) -> str:
    """`postgresql.conf` with these settings, whose values hold no quotes."""
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    return "\n".join(["# Written at each start; changes made here are lost.", *lines, ""])
