"""Two imports at once of the same people, and an entry at the counter meanwhile."""

import threading

import pytest
from django.db import connection

from customers.imports import services, worker
from customers.models import Customer, ImportJob
from marketing.core.tenancy import tenant_scope
from tests.customers.importing import OPTIONS, send
from tests.factories.core import make_chain


@pytest.mark.django_db(transaction=True)
def test_two_files_with_the_same_people_make_each_once(monkeypatch):
    monkeypatch.setattr(worker, "CHUNK", 10)
    chain = make_chain()
    lines = "".join(f"x{n},Asha {n},98{n:07}1\n" for n in range(60))
    with tenant_scope(chain.tenant.pk):
        owner = chain.actor(chain.owner)
        jobs = [map_file(owner, lines) for _ in range(2)]
    for job in jobs:
        worker.run_import(job.tenant_id, job.pk)
    with tenant_scope(chain.tenant.pk):
        for job in jobs:
            services.start_import(actor=owner, job=job)
    faults = []

    def run(job):
        try:
            worker.run_import(job.tenant_id, job.pk)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with tenant_scope(chain.tenant.pk):
        assert Customer.objects.count() == 60
        done = ImportJob.objects.all()
        assert [job.state for job in done] == ["done", "done"]
        assert sum(job.result["created"] for job in done) == 60


def map_file(owner, lines):
    job = send(owner, f"External id,Name,Phone\n{lines}")
    services.choose_columns(actor=owner, job=job, mapping=job.mapping, options=OPTIONS)
    return job
