"""The consumer and the workers change the same rows at the same time: exact, without deadlock."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import DispatchBatch, Message
from marketing.delivery.providers.base import StatusUpdate
from marketing.delivery.rules import Result, ResultClass
from marketing.delivery.webhooks import statuses
from marketing.delivery.webhooks.reports import Report
from tests.concurrency import wait_for_me
from tests.delivery.webhooks.conftest import counted, frozen, messages, written
from tests.factories.delivery import start

PEOPLE = 300


@pytest.fixture
def large_run(live_chain, vendor, settings):
    settings.SANDBOX_URL = vendor.url
    return frozen(live_chain, people=PEOPLE)


def say(run, ids, state, code=""):
    """Reports as the consumer applies them, in an order of their own."""
    error_class = "fail_recipient" if state == "failed" else ""
    with tenant_scope(run.tenant_id):
        account_id = Message.objects.filter(run=run).values_list("account_id", flat=True)[0]
        statuses.apply(
            [
                Report(
                    account_id,
                    StatusUpdate(
                        key=f"{pk}:{state}",
                        state=state,
                        at=timezone.now(),
                        message_id=pk,
                        code=code,
                        error_class=error_class,
                    ),
                )
                for pk in ids
            ]
        )


def run_together(*works):
    """Each in a thread with a connection of its own; what one raises is raised."""

    def closing(work):
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(closing, work) for work in works]:
            future.result()


def test_reports_while_the_workers_send_the_same_messages(large_run):
    """Callbacks overtake the worker's own note of the answer, forwards and backwards by id."""
    with tenant_scope(large_run.tenant_id):
        ids = list(Message.objects.filter(run=large_run).values_list("pk", flat=True))
    over = threading.Event()

    def send():
        worker.run()
        over.set()

    def report(order):
        while not over.is_set():
            with tenant_scope(large_run.tenant_id):
                under_way = set(
                    Message.objects.filter(run=large_run)
                    .exclude(state="queued")
                    .values_list("pk", flat=True)
                )
            chosen = [pk for pk in order if pk in under_way]
            if chosen:
                say(large_run, chosen, "delivered")

    run_together(send, lambda: report(ids), lambda: report(ids[::-1]))
    say(large_run, ids, "delivered")
    assert counted(large_run) == {"delivered": PEOPLE}
    with tenant_scope(large_run.tenant_id):
        assert Message.objects.filter(run=large_run, state="delivered").count() == PEOPLE


def test_two_consumers_with_the_same_messages(large_run):
    """Both lock in the order of the ids; unordered, they wait for each other."""
    worker.run()
    with tenant_scope(large_run.tenant_id):
        ids = list(Message.objects.filter(run=large_run).values_list("pk", flat=True))

    def report(order, offset):
        for at in range(0, PEOPLE, 50):
            state = "failed" if offset and at == 0 else "delivered"
            say(large_run, order[at : at + 100], state, "131026")

    run_together(*[lambda o=o: report(ids[::-1] if o else ids, o) for o in (0, 1, 0, 1)])
    batches = DispatchBatch.objects.filter(run_id=large_run.pk)
    total = sum(batch.sent + batch.delivered + batch.failed for batch in batches)
    assert total == PEOPLE
    with tenant_scope(large_run.tenant_id):
        for state in ("sent", "delivered", "failed"):
            real = Message.objects.filter(run=large_run, state=state).count()
            assert sum(getattr(batch, state) for batch in batches) == real


@pytest.mark.parametrize("state", ["delivered", "failed"])
def test_an_answer_waits_for_the_report_of_the_same_row_and_leaves_it(large_run, state):
    """The row is not written back, and its move from `sending` is counted once."""
    with tenant_scope(large_run.tenant_id):
        first = Message.objects.filter(run=large_run).order_by("pk").first()
        start(first)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            say(large_run, [first.pk], state)
            answer = wait_for_me(
                lambda: written(large_run, first, Result(ResultClass.ACCEPTED, reference="w")), pool
            )
        answer.result()
    assert counted(large_run) == {"queued": PEOPLE - 1, state: 1}
    assert messages(large_run)[0].state == state


def test_a_report_waits_for_the_worker_that_writes_the_same_row(large_run, monkeypatch):
    """Without the lock both would count the move from `sending`: the sum would be wrong."""
    worker.run()
    with tenant_scope(large_run.tenant_id):
        first = Message.objects.filter(run=large_run).order_by("pk").first()
        Message.objects.filter(pk=first.pk).update(state="unknown")
        DispatchBatch.objects.filter(pk=first.batch_id).update(sent=F("sent") - 1, unknown=1)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), tenant_scope(large_run.tenant_id):
            list(Message.objects.select_for_update().filter(pk=first.pk))
            report = wait_for_me(lambda: say(large_run, [first.pk], "read"), pool)
            Message.objects.filter(pk=first.pk).update(state="sent")
            DispatchBatch.objects.filter(pk=first.batch_id).update(sent=F("sent") + 1, unknown=0)
        report.result()
    assert counted(large_run) == {"sent": PEOPLE - 1, "read": 1}
