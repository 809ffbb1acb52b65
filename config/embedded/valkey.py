import signal
import socket
import subprocess

import redis

from config.embedded.errors import ServerError
from config.embedded.processes import signal_all, wait_until
from config.embedded.programs import valkey_program
from config.embedded.server import STARTUP_SECONDS, Server

HOST = "127.0.0.1"
START_ATTEMPTS = 5
STOP_SECONDS = 30


class Valkey(Server):
    """Valkey on a loopback port with a password: database 0 is the broker's, 1 the cache's."""

    title = "Valkey"
    program = "valkey-server"
    replaced_by = "BROKER_URL"

    @property
    def urls(self) -> dict[str, str]:
        address = f"redis://:{self.state.password('valkey')}@{HOST}:{self.state.valkey_port}"
        return {"BROKER_URL": f"{address}/0", "CACHE_URL": f"{address}/1"}

    def is_running(self) -> bool:
        if not self.processes():  # Whoever is on our port may never answer.
            return False
        try:
            with redis.Redis.from_url(self.urls["BROKER_URL"], socket_timeout=5) as client:
                return bool(client.config_get("dir") == {"dir": str(self.directory)})
        except redis.RedisError:  # Nobody there, a stranger on our port, or still loading.
            return False

    def start(self) -> None:
        if self.processes() and wait_until(self.is_running, STARTUP_SECONDS):
            return
        self.stop()
        self.account.make_directory(self.directory)
        self.turn_log()
        # Between choosing a port and listening on it somebody else may take it.
        for _ in range(START_ATTEMPTS):
            self.state.valkey_port = free_port(self.state.valkey_port)
            self._launch()
            wait_until(lambda: self.is_running() or not self.processes(), STARTUP_SECONDS)
            if self.is_running():
                return
        self.stop()
        raise self.fail("did not start")

    def stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            signal_all(self.processes(), number)
            if wait_until(lambda: not self.processes(), STOP_SECONDS):
                return
        raise ServerError(f"{self.title} does not stop; see {self.log}.")

    def _launch(self) -> None:
        configuration = self.directory / f"{self.label}.conf"
        settings = {
            "bind": HOST,
            "port": str(self.state.valkey_port),
            "requirepass": self.state.password("valkey"),
            "dir": str(self.directory),
            "logfile": str(self.log),
            "appendonly": "yes" if self.durable else "no",
            "save": "",
            "maxmemory-policy": "noeviction",
            # The command line must go on naming this file, by which the process is found.
            "set-proc-title": "no",
        }
        lines = [f'{name} "{value}"\n' for name, value in settings.items()]
        self.account.write_file(configuration, "".join(lines))
        subprocess.Popen(
            [valkey_program(self.account), configuration],
            cwd=self.directory,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self.account.spawn_options,
        )


def free_port(preferred: int | None) -> int:
    """A loopback port nobody listens on: the preferred one if possible."""
    for port in (preferred or 0, 0):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, port))
            except OSError:
                continue
            return int(candidate.getsockname()[1])
    raise ServerError(f"No free port on {HOST}.")
