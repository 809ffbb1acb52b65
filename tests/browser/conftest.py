"""A real Chromium, and all programs of the product as `make run` starts them.

They work on the servers of the tests, in a database copied from the template: it is empty, as on
the first day, but need not be migrated once more.

Set rows up before asking for `chromium`: its loop forbids the ORM meanwhile.
"""

import asyncio
import os
import shutil
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
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from psycopg import sql

from tests.template_database import admin_url, migrated_template

ROOT = Path(__file__).resolve().parents[2]
# The last of sixteen databases of Valkey; those of the processes of xdist are the first.
BROKER, CACHE = 14, 15
LOG_LINES = 400

# Nothing is judged by its speed: this only ends what would never come.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def _launched() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """One browser for all tests, which takes as long to start as many of them; and its loop.

    Playwright calls the loop a running one for as long as the browser is there. Here it is one
    only while a test has the browser, so that others may ask the ORM.
    """
    # The shell draws the same pages without the windows around them, for two thirds of the work.
    shell = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
    path = os.environ.get("CHROMIUM", shell)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield browser, loop
        asyncio._set_running_loop(loop)
        browser.close()


@pytest.fixture
def chromium(_launched: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """A browser without contexts; those of the test are closed after it."""
    browser, loop = _launched
    asyncio._set_running_loop(loop)
    yield browser
    for context in browser.contexts:
        context.close()
    asyncio._set_running_loop(None)


NOTE_LOADED = "addEventListener('load', () => { document.documentElement.dataset.loaded = '' })"


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A browser of somebody's own, as patient as `expect`.

    Where scripts run, whatever is done to a page is done once they are there, as people, who are
    slower than Playwright, do it; so does what a test awaits. Keys of `page.keyboard` and
    `evaluate` still need `with_scripts`.
    """
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    if options.get("java_script_enabled", True):
        context.add_init_script(NOTE_LOADED)
        context.on("page", _wait_for_scripts)
    return context


def _wait_for_scripts(page: Page) -> None:
    page.add_locator_handler(page.locator("html:not([data-loaded])"), lambda _unloaded: None)


# Where a part of the page is to come.
UNFETCHED = ".with-js .skeleton, [hx-trigger=load] .skeleton"


def with_scripts(page: Page) -> None:
    """Keys come with a page's scripts, and until its parts are there its buttons still move.

    After a click that leads to another page: asked once something of that page is seen.
    """
    page.wait_for_load_state("load")
    expect(page.locator(UNFETCHED)).to_have_count(0)


@dataclass
class Parlour:
    """A running Parlour with a demo chain of its own; `log` is what it printed."""

    state_dir: Path
    customers: int
    port: int = 0
    log: list[str] = field(default_factory=list, repr=False)
    database: str = field(default_factory=lambda: f"parlour_story_{os.getpid()}")
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def servers(self) -> dict[str, str]:
        """Where the product's rows, tasks and cache are."""
        places = {"BROKER_URL": BROKER, "CACHE_URL": CACHE} | dict.fromkeys(
            ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL"), self.database
        )
        return {
            name: urlsplit(os.environ[name])._replace(path=f"/{place}").geturl()
            for name, place in places.items()
            if name in os.environ
        }

    def clear(self) -> None:
        """Leave nothing of it on the servers."""
        with psycopg.connect(admin_url(), autocommit=True) as admin:
            admin.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    sql.Identifier(self.database)
                )
            )
        for url in self.servers.values():
            if url.startswith("redis"):
                with redis.Redis.from_url(url) as client:
                    client.flushdb()

    def start(self) -> None:
        """Start everything and wait until the sandbox is connected."""
        self.port = self.port or _free_port()
        self.clear()
        template = migrated_template()
        with psycopg.connect(admin_url(), autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER parlour_owner").format(
                    sql.Identifier(self.database), sql.Identifier(template)
                )
            )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "config.supervisor"],
            cwd=ROOT,
            env=os.environ
            | self.servers
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


@pytest.fixture(scope="package")
def parlour(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Parlour]:
    """One running product for all browser tests. It ends with the last: it never rests."""
    running = Parlour(tmp_path_factory.mktemp("parlour"), customers=4_000)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        running.clear()
