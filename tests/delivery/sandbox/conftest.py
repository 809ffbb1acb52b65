"""A sandbox of its own process, and a receiver for its callbacks."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.concurrency import PATIENCE
from tests.loopback import serving

ROOT = Path(__file__).resolve().parents[3]
SECRET = "control-secret"


@dataclass
class Reply:
    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Process:
    """The sandbox as a client sees it; `start` and `kill` as an accident would."""

    data_dir: Path
    port: int = 0
    patience: float = PATIENCE
    _process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "marketing.delivery.sandbox", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "SANDBOX_PORT": str(self.port),
                "SANDBOX_DATA_DIR": str(self.data_dir),
                "SANDBOX_SECRET": SECRET,
                "SANDBOX_URL": "",
            },
        )
        for line in self._process.stdout:
            if "Running on" in line:
                self.port = int(line.rsplit(":", 1)[1].split(" ")[0])
                return
        raise RuntimeError("the sandbox did not start")

    def kill(self, number: int = signal.SIGKILL) -> None:
        self._process.send_signal(number)
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Reply:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, headers or {}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=self.patience) as response:
                return Reply(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers, error.read())

    @contextmanager
    def silent(self) -> Iterator[None]:
        """It lets its callers wait for ever; they need not wait for long to see it."""
        self.patience = 1
        try:
            with pytest.raises((TimeoutError, urllib.error.URLError)):
                yield
        finally:
            del self.patience

    def control(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.ask(method, f"/_sandbox/{path}", body, {"Authorization": f"Bearer {SECRET}"})
        assert reply.status == 200, reply.body
        return reply.json()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process of xdist takes a module's tests of the sandbox, so that it starts once."""
    for item in items:
        if isinstance(item, pytest.Function) and "process" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    started = Process(tmp_path_factory.mktemp("sandbox"))
    started.start()
    yield started
    started.kill(signal.SIGTERM)


@pytest.fixture
def sandbox(process: Process) -> Process:
    """The module's sandbox with an empty ledger."""
    process.control("DELETE", "messages")
    return process


@dataclass
class Receiver:
    """Where callbacks go, each at the address in `urls`. While `is_down` it answers 503."""

    url: str = ""
    is_down: bool = False
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def wait(self, enough: Callable[[], bool], seconds: float = PATIENCE) -> None:
        give_up_at = time.monotonic() + seconds
        while not enough():
            assert time.monotonic() < give_up_at, self.posts
            time.sleep(0.02)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not received.is_down:
                received.urls.append(f"http://{self.headers['Host']}{self.path}")
                received.posts.append((dict(self.headers), body))
            self.send_response(503 if received.is_down else 200)
            self.end_headers()

    with serving(Handler) as url:
        received.url = f"{url}/hook"
        yield received
