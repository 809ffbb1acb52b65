"""Dispatch workers are killed with -9, stopped past their lease, and many at once."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings
from django.db import connection

from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import recovery
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.plan import plan_channels
from marketing.delivery.services import freeze_run
from marketing.policy.models import ProviderAccount
from tests.delivery.sandbox.conftest import ROOT, Process
from tests.factories.customers import insert_people
from tests.factories.delivery import (
    everyone,
    make_run,
    make_sender,
    open_all_hours,
    states_of,
    templates_at_meta,
)
from tests.factories.policy import WORKING_VALUES

pytestmark = pytest.mark.long

PEOPLE = 5_000
FEWER = 1_500
CONCURRENCY = 50
WORKER = """
import django
from django.conf import settings
for options in settings.DATABASES.values():
    options["NAME"] = {name!r}
settings.SPOOL_DIR = {spool!r}
django.setup()
import config.celery
import datetime as dt
from marketing.delivery.dispatch import account_sender, lease, marking, worker
lease.LEASE = marking.LEASE = dt.timedelta(seconds={lease_seconds})
account_sender.HTTP_TIMEOUT = 1.0
while worker.run():
    pass
"""


@pytest.fixture
def sandbox(tmp_path):
    process = Process(tmp_path / "sandbox")
    process.start()
    yield process
    process.kill(signal.SIGTERM)


@pytest.fixture
def people():
    return PEOPLE


@pytest.fixture
def run(live_chain, sandbox, settings, people):
    """So many people, frozen, at an account of the sandbox."""
    settings.SANDBOX_URL = f"http://127.0.0.1:{sandbox.port}"
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        account = make_sender(rate_per_second=5_000, max_concurrency=CONCURRENCY)
        values = WORKING_VALUES["meta"]
        credentials = {**values["credentials"], **values["sender"]}
        body = {"provider": "meta", "credentials": credentials, "callbacks": False}
        sandbox.control("PUT", "accounts/wa", body)
        insert_people(live_chain.tenant.pk, live_chain.north, people)
        made = make_run()
        plan = plan_channels(made.steps, mode=made.mode, purpose="promotional", now=made.created_at)
        version = plan.steps[0].version
        sandbox.control("PUT", "templates", templates_at_meta(version, account))
        freeze_run(run=made, audience=everyone())
        return made


def start_worker(spool, lease_seconds: int = 60) -> subprocess.Popen[bytes]:
    name = django_settings.DATABASES["default"]["NAME"]
    code = WORKER.format(name=name, spool=str(spool), lease_seconds=lease_seconds)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)


def accepted(sandbox) -> int:
    count: int = sandbox.control("GET", "ledger/summary")["accepted"]
    return count


def test_nobody_is_sent_to_twice_and_nothing_is_stuck(run, sandbox, tmp_path, settings):
    kills = 0
    for goal in (PEOPLE // 5, PEOPLE // 2):
        worker = start_worker(tmp_path)
        wait_for(sandbox, goal, worker)
        worker.kill()
        # Whoever had ended by itself would say 0.
        assert worker.wait() == -signal.SIGKILL
        kills += 1
    deadline = time.monotonic() + 120
    while DispatchBatch.objects.exclude(state="done").exists():
        assert time.monotonic() < deadline
        assert start_worker(tmp_path).wait(300) == 0
        recovery.sweep()
    with tenant_scope(run.tenant_id):
        states = states_of(run)
        run.refresh_from_db()
        rows = Message.objects.filter(run=run)
        assert rows.filter(state="sent").count() == states["sent"]
        assert run.state == SendRun.State.DONE
    assert set(states) <= {"sent", "unknown"}
    assert sum(states.values()) == PEOPLE
    # One window of requests is under way at a kill; all else was answered or never started.
    assert states.get("unknown", 0) <= kills * CONCURRENCY
    summary = sandbox.control("GET", "ledger/summary")
    assert summary["duplicated"] == 0
    assert states["sent"] <= summary["accepted"] <= PEOPLE


def wait_for(sandbox, goal: int, worker: subprocess.Popen[bytes]) -> None:
    """Until so much was accepted; the worker is still at it."""
    give_up_at = time.monotonic() + 60
    while accepted(sandbox) < goal:
        assert worker.poll() is None
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def stop_between_transactions(process):
    """One that is stopped amid a transaction holds its locks until PostgreSQL's time-out."""
    while True:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)  # for statements under way to end
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            (busy,) = cursor.fetchone()
        if not busy:
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.005)


def assert_each_once(run, sandbox) -> dict[str, int]:
    with tenant_scope(run.tenant_id):
        states = states_of(run)
    assert sum(states.values()) == FEWER
    summary = sandbox.control("GET", "ledger/summary")
    assert summary["duplicated"] == 0
    assert states["sent"] <= summary["accepted"] <= FEWER
    return states


@pytest.mark.parametrize("people", [FEWER])
def test_worker_stopped_past_its_lease_and_woken_sends_nobody_twice(
    run, sandbox, tmp_path, monkeypatch
):
    monkeypatch.setattr(recovery, "GIVEN_UP_SECONDS", 4)
    sleeper = start_worker(tmp_path, lease_seconds=3)
    wait_for(sandbox, FEWER // 5, sleeper)
    stop_between_transactions(sleeper)
    assert sleeper.poll() is None
    other = start_worker(tmp_path, lease_seconds=3)
    assert other.wait(300) == 0
    deadline = time.monotonic() + 8
    while DispatchBatch.objects.filter(sending__gt=0).exists() and time.monotonic() < deadline:
        recovery.sweep()
        time.sleep(0.2)
    sleeper.send_signal(signal.SIGCONT)
    assert sleeper.wait(300) == 0
    # What it had marked but not begun is due again a few seconds later.
    deadline = time.monotonic() + 120
    while DispatchBatch.objects.exclude(state="done").exists():
        assert time.monotonic() < deadline
        assert start_worker(tmp_path).wait(300) == 0
        recovery.sweep()
    states = assert_each_once(run, sandbox)
    assert set(states) <= {"sent", "unknown"}
    assert states.get("unknown", 0) <= CONCURRENCY


@pytest.mark.parametrize("people", [FEWER])
def test_eight_workers_on_one_campaign_send_to_everybody_once(run, sandbox, tmp_path):
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(max_concurrency=8)
    workers = [start_worker(tmp_path) for _ in range(8)]
    assert [worker.wait(300) for worker in workers] == [0] * 8
    assert start_worker(tmp_path).wait(300) == 0
    assert assert_each_once(run, sandbox) == {"sent": FEWER}
