"""The embedded servers, run as a user runs them: by command line, from checkouts of their own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from config.embedded.account import current_account
from config.embedded.programs import valkey_program
from config.embedded.tuning import postgres_settings
from config.prepare_database import LEAKPROOF_FUNCTIONS, leaky_functions, prepare_server

# One process of xdist takes them all, so that their checkout has its servers made once.
pytestmark = pytest.mark.xdist_group("embedded")
CONFIG = Path(__file__).resolve().parents[2] / "config"
GIGABYTE = 1024**3
SERVER_VARIABLES = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_ADMIN_URL",
    "BROKER_URL",
    "CACHE_URL",
)
SHOW_URLS = f"import os; print(*(os.environ.get(name) for name in {SERVER_VARIABLES}), flush=True)"
WAIT_FOR_TERM = "import signal; signal.signal(signal.SIGTERM, lambda *_: exit(5)); signal.pause()"


@dataclass
class Checkout:
    directory: Path

    def command(self, action: str, *arguments: str, instance: str = "test") -> list[str]:
        start = [sys.executable, "-m", "config.embedded", action, "--instance", instance]
        return [*start, *arguments]

    def environment(self, **extra: str) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if k not in SERVER_VARIABLES}
        return inherited | extra

    def run(
        self, action: str, *arguments: str, instance: str = "test", **extra: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(action, *arguments, instance=instance),
            cwd=self.directory,
            env=self.environment(**extra),
            capture_output=True,
            text=True,
            timeout=150,
        )

    def is_running(self, instance: str = "test") -> bool:
        return self.run("status", instance=instance).returncode == 0


@dataclass
class Held:
    """A command running inside `exec`, and the addresses it was given."""

    process: subprocess.Popen[str]
    urls: dict[str, str]

    def postmaster(self) -> int:
        with psycopg.connect(self.urls["DATABASE_ADMIN_URL"]) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        assert row
        return int(Path(row[0], "postmaster.pid").read_text().splitlines()[0])

    def valkey_port(self) -> int | None:
        return urlsplit(self.urls["BROKER_URL"]).port

    def end(self) -> int:
        self.process.terminate()
        return self.wait()

    def wait(self) -> int:
        self.process.communicate(timeout=60)
        return self.process.returncode


MakeCheckout = Callable[[], Checkout]


@pytest.fixture(scope="module")
def make_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeCheckout]:
    made: list[Checkout] = []

    def make() -> Checkout:
        directory = tmp_path_factory.mktemp("checkout")
        copied = shutil.ignore_patterns("__pycache__", "settings")
        shutil.copytree(CONFIG, directory / "config", ignore=copied)
        made.append(Checkout(directory))
        return made[-1]

    yield make
    for checkout in made:
        for instance in (checkout.directory / ".local").iterdir():
            result = checkout.run("reset", instance=instance.name)
            assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def checkout(make_checkout: MakeCheckout) -> Checkout:
    return make_checkout()


@contextmanager
def holding(checkout: Checkout) -> Iterator[Callable[..., Held]]:
    """Start `exec` with a command that waits for SIGTERM and then ends with exit code 5."""
    held = []

    def start(where: Checkout = checkout, instance: str = "test") -> Held:
        code = f"{SHOW_URLS}; {WAIT_FOR_TERM}"
        process = subprocess.Popen(
            where.command("exec", "--", sys.executable, "-c", code, instance=instance),
            cwd=where.directory,
            env=where.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        held.append(process)
        assert process.stdout
        urls = dict(zip(SERVER_VARIABLES, process.stdout.readline().split(), strict=True))
        return Held(process, urls)

    yield start
    for process in held:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def hold(checkout: Checkout) -> Iterator[Callable[..., Held]]:
    with holding(checkout) as start:
        yield start


def query(url: str, statement: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
    return row and row[0]


def change(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while is_alive(pid):
        assert time.monotonic() < deadline, f"{pid} is still there"
        time.sleep(0.05)


def test_command_gets_servers_that_keep_their_data(checkout, hold):
    held = hold()
    assert query(held.urls["DATABASE_URL"], "SELECT uuidv7() IS NOT NULL") is True
    change(held.urls["DATABASE_OWNER_URL"], "CREATE TABLE kept AS SELECT 7 AS number")
    assert held.end() == 5
    assert not checkout.is_running()

    again = hold()
    assert query(again.urls["DATABASE_URL"], "SELECT number FROM kept") == 7


class TestWhileTheyRun:
    """Servers started once for all that is asked here."""

    @pytest.fixture(scope="class")
    @classmethod
    def held(cls, checkout):
        with holding(checkout) as start:
            yield start()

    def test_servers_are_closed_to_strangers(self, held):
        wrong = held.urls["DATABASE_URL"].replace("parlour_app:", "parlour_app:x")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        directory = Path(held.urls["DATABASE_URL"].partition("host=")[2])
        assert directory.stat().st_mode & 0o777 == 0o700
        assert query(held.urls["DATABASE_ADMIN_URL"], "SHOW listen_addresses") == ""
        with socket.create_connection(("127.0.0.1", held.valkey_port())) as connection:
            connection.sendall(b"PING\r\n")
            assert connection.recv(100).startswith(b"-NOAUTH")

    def test_application_role_has_no_more_than_row_rights(self, held):
        urls = held.urls
        change(urls["DATABASE_OWNER_URL"], "CREATE TABLE guarded (tenant int)")
        change(urls["DATABASE_OWNER_URL"], "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY")
        change(urls["DATABASE_OWNER_URL"], "ALTER TABLE guarded FORCE ROW LEVEL SECURITY")
        change(urls["DATABASE_OWNER_URL"], "INSERT INTO guarded VALUES (1)")
        assert query(urls["DATABASE_OWNER_URL"], "SELECT count(*) FROM guarded") == 1
        assert query(urls["DATABASE_URL"], "SELECT count(*) FROM guarded") == 0
        for refused in ("CREATE TABLE mine ()", "TRUNCATE guarded", "CREATE ROLE mine"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                change(urls["DATABASE_URL"], refused)

    def test_listed_functions_are_leakproof(self, held):
        with psycopg.connect(held.urls["DATABASE_ADMIN_URL"]) as connection:
            assert leaky_functions(connection) == []
            connection.execute("ALTER FUNCTION lower(text) NOT LEAKPROOF")
            assert leaky_functions(connection) == ["lower(text)"]
            connection.rollback()

    # The last: the roles have other passwords until the servers start again.
    def test_database_is_prepared_without_a_superuser_too(self, held):
        admin = held.urls["DATABASE_ADMIN_URL"]
        change(admin, "CREATE ROLE manager LOGIN CREATEROLE CREATEDB BYPASSRLS PASSWORD 'm'")
        change(admin, "GRANT parlour_owner, parlour_app TO manager WITH ADMIN OPTION")
        manager = f"postgresql://manager:m@/postgres?{admin.partition('?')[2]}"
        state = {"owner_password": "o", "app_password": "a"}
        for _ in range(2):
            prepare_server(manager, database="managed", **state)
        with psycopg.connect(manager, dbname="managed") as connection:
            assert set(leaky_functions(connection)) == set(LEAKPROOF_FUNCTIONS)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -KILL $$"], 128 + signal.SIGKILL),
        (["no-such-command"], 127),
    ],
)
def test_exit_code_is_the_commands(checkout, command, code):
    assert checkout.run("exec", "--", *command).returncode == code
    assert not checkout.is_running()


def test_last_one_out_stops_the_servers(checkout, hold):
    first, second = hold(), hold()
    assert first.postmaster() == second.postmaster()
    assert first.end() == 5
    assert checkout.is_running()
    assert second.end() == 5
    assert not checkout.is_running()


def test_started_servers_stay_until_stopped(checkout, hold):
    assert checkout.run("start").returncode == 0
    hold().end()
    assert checkout.is_running()
    environment = checkout.run("env").stdout
    assert all(f"export {name}=" in environment for name in SERVER_VARIABLES)
    assert checkout.run("stop").returncode == 0
    assert not checkout.is_running()
    assert checkout.run("env").returncode == 1


def test_stop_and_reset_refuse_while_in_use(checkout, hold):
    held = hold()
    for action in ("stop", "reset"):
        result = checkout.run(action)
        assert result.returncode == 1
        assert "In use" in result.stderr
    assert query(held.urls["DATABASE_URL"], "SELECT 1") == 1


def test_killed_exec_leaves_servers_that_the_next_one_adopts(checkout, hold):
    held = hold()
    children = Path(f"/proc/{held.process.pid}/task/{held.process.pid}/children").read_text()
    postmaster = held.postmaster()
    held.process.kill()
    assert held.wait() == -signal.SIGKILL
    for child in children.split():
        if "valkey" not in Path(f"/proc/{child}/comm").read_text():
            wait_until_gone(int(child))

    again = hold()
    assert again.postmaster() == postmaster
    assert again.valkey_port() == held.valkey_port()
    again.end()
    assert not checkout.is_running()
    wait_until_gone(postmaster)


def test_killed_postmaster_ends_the_command_and_loses_no_row(checkout, hold):
    held = hold(instance="durable")
    change(held.urls["DATABASE_OWNER_URL"], "CREATE TABLE survivor AS SELECT 11 AS number")
    os.kill(held.postmaster(), signal.SIGKILL)
    assert held.wait() == 5
    assert not checkout.is_running("durable")

    again = hold(instance="durable")
    assert query(again.urls["DATABASE_URL"], "SELECT number FROM survivor") == 11


def test_pid_file_that_names_a_living_stranger_is_no_hindrance(checkout, hold):
    held = hold()
    data = Path(str(query(held.urls["DATABASE_ADMIN_URL"], "SHOW data_directory")))
    pid_file = (data / "postmaster.pid").read_text()
    held.end()
    # PostgreSQL itself refuses to start when a process of its own user has the recorded pid.
    stranger = subprocess.Popen(
        ["sleep", "60"], cwd="/", **current_account().spawn_options | {"umask": -1}
    )
    _, *rest = pid_file.splitlines(keepends=True)
    (data / "postmaster.pid").write_text(f"{stranger.pid}\n{''.join(rest)}")
    try:
        assert query(hold().urls["DATABASE_URL"], "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_taken_port_is_left_to_its_owner(checkout, hold):
    held = hold()
    port = held.valkey_port()
    held.end()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        again = hold()
    assert again.valkey_port() != port


def test_checkouts_and_instances_do_not_meet(make_checkout, checkout, hold):
    servers = [hold(), hold(make_checkout()), hold(instance="durable")]
    assert len({held.postmaster() for held in servers}) == 3
    assert len({held.valkey_port() for held in servers}) == 3
    fsync = [query(held.urls["DATABASE_URL"], "SHOW fsync") for held in servers]
    assert fsync == ["off", "off", "on"]
    assert [held.end() for held in servers] == [5, 5, 5]


def test_named_servers_are_used_and_nothing_is_started(checkout):
    named = {"DATABASE_URL": "postgres://elsewhere/parlour", "BROKER_URL": "redis://elsewhere/0"}
    result = checkout.run("exec", "--", sys.executable, "-c", SHOW_URLS, **named)
    assert result.stdout.split() == [
        named["DATABASE_URL"],
        "None",
        "None",
        named["BROKER_URL"],
        "None",
    ]
    assert not checkout.is_running()


def test_data_without_its_passwords_begins_anew(make_checkout, hold):
    deleted = make_checkout()
    hold(deleted).end()
    (deleted.directory / ".local/test/state.json").unlink()
    assert query(hold(deleted).urls["DATABASE_URL"], "SELECT 1") == 1


def test_name_of_an_instance_is_checked(checkout):
    result = checkout.run("start", instance="../run")
    assert result.returncode == 1
    assert not (checkout.directory / "run").exists()


@pytest.mark.parametrize("memory", [GIGABYTE // 2, 4 * GIGABYTE, 64 * GIGABYTE])
def test_only_throw_away_data_gives_up_durability(memory):
    risky = {"fsync", "synchronous_commit", "full_page_writes"}
    assert not risky & set(postgres_settings(memory, durable=True))
    assert risky <= set(postgres_settings(memory, durable=False))


def test_shared_buffers_are_a_quarter_of_memory_up_to_four_gigabytes():
    assert postgres_settings(4 * GIGABYTE, durable=True)["shared_buffers"] == "1024MB"
    assert postgres_settings(64 * GIGABYTE, durable=True)["shared_buffers"] == "4096MB"


def test_the_log_has_room_in_memory():
    assert postgres_settings(4 * GIGABYTE, durable=True)["wal_buffers"] == "21MB"
    assert postgres_settings(64 * GIGABYTE, durable=True)["wal_buffers"] == "128MB"


def test_programs_can_be_run_by_the_account_of_the_servers():
    account = current_account()
    assert account.uid != 0
    assert account.run([valkey_program(account), "--version"], cwd=Path("/")).returncode == 0
