"""A real Chromium, and the whole product as `make run` starts it.

Set rows up before asking for `chromium`: its loop forbids the ORM meanwhile.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL", "BROKER_URL", "CACHE_URL")
LOG_LINES = 400

# Nothing is judged by its speed: this only ends what would never come.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A browser of somebody's own, as patient as `expect`."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    return context


@dataclass
class Parlour:
    """A running Parlour with a demo chain of its own; `log` is what it printed."""

    state_dir: Path
    customers: int
    port: int = 0
    log: list[str] = field(default_factory=list, repr=False)
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def instance(self) -> str:
        return f"story{os.getpid()}"

    def start(self) -> None:
        """Start everything and wait until the sandbox is connected."""
        self.port = self.port or _free_port()
        environment = {name: text for name, text in os.environ.items() if name not in SERVERS}
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "config.embedded", "exec", "--instance", self.instance),
                *("--", sys.executable, "-m", "config.supervisor"),
            ],
            cwd=ROOT,
            env=environment
            | {
                "DJANGO_SETTINGS_MODULE": "config.settings.dev",
                "PARLOUR_STATE_DIR": str(self.state_dir),
                "PORT": str(self.port),
                "DEMO_CUSTOMERS": str(self.customers),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        self.wait_for("Ctrl-C stops everything")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout:
            self.log += (line.rstrip() for line in process.stdout)

    def wait_for(self, text: str, seconds: float = 600) -> str:
        """The first printed line with this text."""
        give_up_at = time.monotonic() + seconds
        seen = 0
        while True:
            for line in self.log[seen:]:
                seen += 1
                if text in line:
                    return line
            assert self._process is not None
            assert self._process.poll() is None, "\n".join(self.log)
            assert time.monotonic() < give_up_at, "\n".join(self.log)
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(180)

    def wait_until_stopped(self, seconds: float = 180) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    @property
    def sandbox_url(self) -> str:
        line = self.wait_for("Phone inbox:")
        return line.split("Phone inbox:")[1].strip().rstrip("/")

    def sandbox(self, path: str) -> bytes:
        """What the sandbox's page reads."""
        with urllib.request.urlopen(f"{self.sandbox_url}{path}", timeout=60) as response:
            body: bytes = response.read()
        return body


def _free_port() -> int:
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        port: int = candidate.getsockname()[1]
    return port


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the end of what the product printed meanwhile."""
    report = yield
    product = getattr(item, "funcargs", {}).get("parlour")
    if report.failed and product is not None:
        report.sections.append(("what Parlour printed", "\n".join(product.log[-LOG_LINES:])))
    return report


# One process of xdist takes all tests of the running product, so that it starts once.
USES_PARLOUR = [pytest.mark.browser, pytest.mark.xdist_group("parlour")]


@pytest.fixture(scope="session")
def parlour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parlour]:
    """One running product for all browser tests; its servers and data go with the session."""
    running = Parlour(tmp_path_factory.mktemp("parlour"), customers=4_000)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        command = [sys.executable, "-m", "config.embedded", "reset", "--instance", running.instance]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
