"""A dispatch worker is killed with -9 in the middle of 5,000 messages, and started again."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings

from marketing.content.rendering import compile_version
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import recovery
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.plan import plan_channels
from marketing.delivery.services import freeze_run
from tests.delivery.sandbox.conftest import ROOT, Process
from tests.factories.customers import insert_people
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours, states_of
from tests.factories.policy import WORKING_VALUES

PEOPLE = 5_000
CONCURRENCY = 50
WORKER = """
import django
from django.conf import settings
for options in settings.DATABASES.values():
    options["NAME"] = {name!r}
settings.SPOOL_DIR = {spool!r}
django.setup()
import config.celery
from marketing.delivery.dispatch import worker
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
def run(live_chain, sandbox, settings):
    """5,000 people, frozen, at an account of the sandbox."""
    settings.SANDBOX_URL = f"http://127.0.0.1:{sandbox.port}"
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        account = make_sender(rate_per_second=5_000, max_concurrency=CONCURRENCY)
        values = WORKING_VALUES["meta"]
        credentials = {**values["credentials"], **values["sender"]}
        body = {"provider": "meta", "credentials": credentials, "callbacks": False}
        sandbox.control("PUT", "accounts/wa", body)
        insert_people(live_chain.tenant.pk, live_chain.north, PEOPLE)
        made = make_run()
        plan = plan_channels(made.steps, mode=made.mode, purpose="promotional", now=made.created_at)
        version = plan.steps[0].version
        templates = [
            {
                "provider": "meta",
                "owner": account.sender["waba_id"],
                "name": version.whatsapp_template_name,
                "language": language,
                "body": {"components": compile_version(version).meta_components(language)},
            }
            for language in ("en", "hi")
        ]
        sandbox.control("PUT", "templates", templates)
        freeze_run(run=made, audience=everyone())
        return made


def start_worker(spool) -> subprocess.Popen[bytes]:
    name = django_settings.DATABASES["default"]["NAME"]
    code = WORKER.format(name=name, spool=str(spool))
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)


def accepted(sandbox) -> int:
    count: int = sandbox.control("GET", "ledger/summary")["accepted"]
    return count


def test_nobody_is_sent_to_twice_and_nothing_is_stuck(run, sandbox, tmp_path, settings):
    kills = 0
    for goal in (PEOPLE // 5, PEOPLE // 2):
        worker = start_worker(tmp_path)
        give_up_at = time.monotonic() + 60
        while accepted(sandbox) < goal and worker.poll() is None:
            assert time.monotonic() < give_up_at
            time.sleep(0.01)
        worker.kill()
        worker.wait()
        kills += 1
    assert kills == 2
    deadline = time.monotonic() + 120
    while DispatchBatch.objects.exclude(state="done").exists():
        assert time.monotonic() < deadline
        assert start_worker(tmp_path).wait(100) == 0
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
