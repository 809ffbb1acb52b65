"""Import workers are killed with -9, while they check and while they write."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings

from customers.imports import services, tasks
from customers.models import ConsentRecord, ContactPoint, Customer, ImportJob, ImportRow
from marketing.core.tenancy import tenant_scope
from tests.conftest import ROOT
from tests.customers.importing import OPTIONS, send
from tests.factories.core import make_chain

PEOPLE = 3_000
# Nothing is judged by its speed: this only ends what would never come.
PATIENCE_SECONDS = 300
CONSENTED = {"consent_source": "paper_form", "consent_wording": "2024-01"}
WORKER = """
import uuid
import django
from django.conf import settings
for options in settings.DATABASES.values():
    options["NAME"] = {name!r}
django.setup()
import config.celery
import datetime as dt
from customers.imports import worker
worker.CHUNK, worker.LEASE = 50, dt.timedelta(seconds=1)
worker.run_import(uuid.UUID({tenant!r}), uuid.UUID({job!r}))
"""


@pytest.mark.django_db(transaction=True)
def test_nobody_is_doubled_or_missing_after_two_kills(monkeypatch):
    monkeypatch.setattr(tasks, "nudge", lambda task, *ids: task(*ids))
    chain = make_chain()
    lines = "".join(f"Asha {n},98{n:07}1,yes\n" for n in range(PEOPLE))
    with tenant_scope(chain.tenant.pk):
        owner = chain.actor(chain.owner)
        job = send(owner, f"Name,Phone,WhatsApp consent\n{lines}")
        services.choose_columns(
            actor=owner, job=job, mapping=job.mapping, options=OPTIONS | CONSENTED
        )
    kill_amid(job, "checked_rows")
    sweep_until(job, "checked")
    with tenant_scope(job.tenant_id):
        job.refresh_from_db()
        assert (job.checked_rows, job.total_rows, job.counts) == (PEOPLE, PEOPLE, {"new": PEOPLE})
        assert ImportRow.objects.count() == PEOPLE
        services.start_import(actor=owner, job=job)
    kill_amid(job, "imported_rows")
    sweep_until(job, "done")
    with tenant_scope(job.tenant_id):
        job.refresh_from_db()
        assert job.imported_rows == PEOPLE
        assert (job.result["created"], job.result["consents"]) == (PEOPLE, PEOPLE)
        made = set(Customer.objects.values_list("pk", flat=True))
        assert made == set(ImportRow.objects.values_list("pk", flat=True))
        assert Customer.objects.values("phone").distinct().count() == PEOPLE
        assert ContactPoint.objects.count() == ConsentRecord.objects.count() == PEOPLE


def kill_amid(job, marker: str) -> None:
    """Start a worker of its own process, and kill it when some chunks are behind the marker."""
    name = django_settings.DATABASES["default"]["NAME"]
    code = WORKER.format(name=name, tenant=str(job.tenant_id), job=str(job.pk))
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while progress(job, marker) == 0:
        assert process.poll() is None
        assert time.monotonic() < give_up_at
        time.sleep(0.005)
    process.kill()
    # Whoever had ended by itself would say 0.
    assert process.wait() == -signal.SIGKILL
    assert 0 < progress(job, marker) < PEOPLE


def progress(job, marker: str) -> int:
    with tenant_scope(job.tenant_id):
        return getattr(ImportJob.objects.get(pk=job.pk), marker)


def sweep_until(job, state: str) -> None:
    """Until the lease of whoever was killed is over, and another has finished the work."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        tasks.sweep_imports()
        with tenant_scope(job.tenant_id):
            if ImportJob.objects.get(pk=job.pk).state == state:
                return
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
