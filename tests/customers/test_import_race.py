"""Two imports at once of the same people."""

import threading
from contextlib import suppress

import pytest

from customers.imports import services, worker, writing
from customers.models import Customer, ImportJob
from marketing.core.tenancy import tenant_scope
from tests.concurrency import at_once
from tests.customers.importing import OPTIONS, send
from tests.factories.core import make_chain

TOGETHER_SECONDS = 0.5


@pytest.mark.django_db(transaction=True)
def test_two_files_with_the_same_people_make_each_once(monkeypatch):
    """Phones only: nothing but the lock keeps both from making them."""
    monkeypatch.setattr(worker, "CHUNK", 10)
    chain = make_chain()
    lines = "".join(f"Asha {n},98{n:07}1\n" for n in range(30))
    with tenant_scope(chain.tenant.pk):
        owner = chain.actor(chain.owner)
        jobs = [map_file(owner, lines) for _ in range(2)]
    for job in jobs:
        worker.run_import(job.tenant_id, job.pk)
    with tenant_scope(chain.tenant.pk):
        for job in jobs:
            services.start_import(actor=owner, job=job)
    meet_before_writing(monkeypatch)
    waiting = iter(jobs)
    at_once(2, lambda: run(next(waiting)))
    with tenant_scope(chain.tenant.pk):
        assert Customer.objects.count() == 30
        done = ImportJob.objects.all()
        assert [job.state for job in done] == ["done", "done"]
        assert sum(job.result["created"] for job in done) == 30


def meet_before_writing(monkeypatch):
    """Whoever could write what another has looked up waits for it; with the lock nobody can."""
    both, real = threading.Barrier(2), writing._insert

    def insert(*args):
        with suppress(threading.BrokenBarrierError):
            both.wait(TOGETHER_SECONDS)
        return real(*args)

    monkeypatch.setattr(writing, "_insert", insert)


def run(job):
    worker.run_import(job.tenant_id, job.pk)


def map_file(owner, lines):
    job = send(owner, f"Name,Phone\n{lines}")
    services.choose_columns(actor=owner, job=job, mapping=job.mapping, options=OPTIONS)
    return job
