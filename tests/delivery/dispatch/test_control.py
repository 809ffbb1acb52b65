"""Runs that people pause or cancel while they are sent."""

import threading

from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.services import cancel_run, pause_run, resume_run, runs
from marketing.delivery.tasks import skip_cancelled
from marketing.policy.models import BudgetMonth, ProviderAccount
from tests.delivery.conftest import accepted
from tests.delivery.dispatch.runs import PEOPLE, states


def test_paused_run_sends_nothing_until_it_goes_on(run, vendor):
    with tenant_scope(run.tenant_id):
        pause_run(run=run, reason="manual")
    worker.run()
    assert vendor.asked == []
    with tenant_scope(run.tenant_id):
        resume_run(run=run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}


def test_cancelled_run_skips_what_was_queued(run, vendor):
    with tenant_scope(run.tenant_id):
        assert cancel_run(run=run) == PEOPLE
    worker.run()
    assert states(run) == {"skipped": PEOPLE}
    assert vendor.asked == []
    with tenant_scope(run.tenant_id):
        assert BudgetMonth.objects.get(branch__isnull=False).reserved == 0


def test_large_cancelled_run_is_skipped_by_a_task(run, vendor, monkeypatch):
    monkeypatch.setattr(runs, "SKIPPED_AT_ONCE", 0)
    monkeypatch.setattr(runs, "BATCHES_AT_ONCE", 1)
    asked = []
    monkeypatch.setattr(runs, "nudge", lambda task, *args: asked.append((task.name, args)))
    of_run = ("marketing.delivery.tasks.skip_cancelled", (str(run.tenant_id), str(run.pk)))
    with tenant_scope(run.tenant_id):
        assert cancel_run(run=run) == PEOPLE
    assert asked == [of_run]
    worker.run()
    assert vendor.asked == []
    assert states(run) == {"queued": PEOPLE}
    # The task was lost; the sweep asks again.
    with tenant_scope(run.tenant_id):
        runs.skip_rest_of_cancelled()
    assert asked == [of_run, of_run]
    skip_cancelled(*of_run[1])
    assert states(run) == {"skipped": PEOPLE}
    with tenant_scope(run.tenant_id):
        assert BudgetMonth.objects.get(branch__isnull=False).reserved == 0
        runs.skip_rest_of_cancelled()
    assert asked == [of_run, of_run]


def test_cancelled_while_a_worker_sends(run, vendor):
    seen = threading.Event()

    def answer(body):
        seen.set()
        return accepted(body)

    vendor.answer = answer
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(rate_per_second=5, max_concurrency=1)
    thread = threading.Thread(target=worker.run, args=(3.0,))
    thread.start()
    seen.wait(5)
    with tenant_scope(run.tenant_id):
        cancel_run(run=run)
    thread.join()
    worker.run(1.0)
    found = states(run)
    assert set(found) <= {"sent", "skipped"}
    assert sum(found.values()) == PEOPLE
    assert found["sent"] == len(vendor.asked) < PEOPLE
