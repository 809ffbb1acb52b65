"""Dispatch against a vendor on loopback: each message once, each outcome kept."""

import datetime as dt
import threading
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import ConsentState
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import journal, recovery, worker
from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch.journal import Journal
from marketing.delivery.dispatch.marking import mark
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.dispatch.sending import load_sending
from marketing.delivery.models import (
    ContactLoad,
    DispatchBatch,
    Message,
    ProviderReference,
    SendRun,
)
from marketing.delivery.rules import Result, ResultClass
from marketing.delivery.services import (
    cancel_run,
    freeze,
    freeze_run,
    pause_run,
    resume_run,
    runs,
)
from marketing.delivery.tasks import skip_cancelled
from marketing.policy.models import BudgetMonth, ProviderAccount
from tests.delivery.conftest import HangUp, accepted, refused
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    everyone,
    make_run,
    make_sender,
    open_all_hours,
    states_of,
)
from tests.factories.policy import set_config

PEOPLE = 25


@pytest.fixture
def run(live_chain, vendor, settings, monkeypatch):
    """A frozen run of 25 people in batches of 10, at an account that sends to `vendor`."""
    settings.SANDBOX_URL = vendor.url
    monkeypatch.setattr(freeze, "BATCH_SIZE", 10)
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender(rate_per_second=1000, max_concurrency=8)
        CustomerFactory.create_batch(PEOPLE, home_branch=live_chain.north)
        made = make_run()
        freeze_run(run=made, audience=everyone())
        made.refresh_from_db()
        return made


def states(run):
    with tenant_scope(run.tenant_id):
        rows = Message.objects.filter(run=run).values_list("state", flat=True)
        from_rows = {state: list(rows).count(state) for state in set(rows)}
        assert states_of(run) == from_rows
        return from_rows


def due_now(run):
    """Let what waits for a retry be due."""
    with tenant_scope(run.tenant_id):
        Message.objects.filter(run=run).update(not_before=None)
        DispatchBatch.objects.filter(run_id=run.pk).update(next_at=timezone.now())


def test_everybody_is_sent_to_once(run, vendor):
    worker.run()
    assert states(run) == {"sent": PEOPLE}
    assert set(vendor.times_asked().values()) == {1}
    assert len(vendor.asked) == PEOPLE
    with tenant_scope(run.tenant_id):
        run.refresh_from_db()
        assert run.state == SendRun.State.DONE
        message = Message.objects.filter(run=run).first()
        assert message.provider_message_id == f"wamid.{message.pk}"
        assert message.sent_at is not None
        assert ProviderReference.objects.count() == PEOPLE
        assert [len(load.sent) for load in ContactLoad.objects.all()] == [1] * PEOPLE


def test_personal_values_and_language_go_out(run, vendor):
    worker.run()
    with tenant_scope(run.tenant_id):
        for body in vendor.asked:
            message = Message.objects.get(pk=uuid.UUID(body["biz_opaque_callback_data"]))
            (part,) = body["template"]["components"]
            assert part["parameters"][0]["text"] == message.variables["customer_name"]
            assert f"+{body['to']}" == message.address


def test_budget_is_settled_when_the_run_is_done(run):
    worker.run()
    with tenant_scope(run.tenant_id):
        month = BudgetMonth.objects.get(branch__isnull=False)
        # WhatsApp charges what was delivered: that is still to come.
        assert month.spent == 0
        assert month.reserved == sum(m.cost for m in Message.objects.filter(run=run)) > 0


def test_refused_for_now_is_tried_again_and_arrives_once(run, vendor):
    first_asked = set()

    def answer(body):
        if body["biz_opaque_callback_data"] in first_asked:
            return accepted(body)
        first_asked.add(body["biz_opaque_callback_data"])
        return refused(130429, 429)

    vendor.answer = answer
    worker.run()
    assert states(run) == {"queued": PEOPLE}
    with tenant_scope(run.tenant_id):
        assert all(m.not_before > timezone.now() for m in Message.objects.filter(run=run))
    due_now(run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}
    with tenant_scope(run.tenant_id):
        assert [len(load.sent) for load in ContactLoad.objects.all()] == [1] * PEOPLE


def test_retries_end_after_five_tries(run, vendor):
    vendor.answer = lambda body: refused(131016, 500)
    for _ in range(6):
        worker.run()
        due_now(run)
    assert states(run) == {"failed": PEOPLE}
    assert set(vendor.times_asked().values()) == {5}


def test_permanent_refusal_fails_and_gives_the_cap_back(run, vendor):
    vendor.answer = lambda body: refused(131026)
    worker.run()
    assert states(run) == {"failed": PEOPLE}
    with tenant_scope(run.tenant_id):
        message = Message.objects.filter(run=run).first()
        assert (message.error_code, message.error_class) == ("131026", "fail_recipient")
        assert message.counted_cost == 0
        assert all(load.sent == [] for load in ContactLoad.objects.all())
        assert BudgetMonth.objects.get(branch__isnull=False).spent == 0


def test_no_answer_is_unknown_and_never_sent_again(run, vendor):
    def hang_up(body):
        raise HangUp

    vendor.answer = hang_up
    worker.run()
    assert states(run) == {"unknown": PEOPLE}
    vendor.answer = accepted
    due_now(run)
    worker.run()
    recovery.sweep()
    assert set(vendor.times_asked().values()) == {1}
    with tenant_scope(run.tenant_id):
        assert [len(load.sent) for load in ContactLoad.objects.all()] == [1] * PEOPLE


def test_provider_that_cannot_be_reached_costs_nothing(run, vendor):
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(base_url="http://127.0.0.1:9")
    worker.run()
    assert states(run) == {"queued": PEOPLE}
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(base_url=vendor.url)
    due_now(run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}


def test_refused_account_pauses_the_run_and_says_why(run, vendor):
    vendor.answer = lambda body: refused(190, 401)
    worker.run()
    with tenant_scope(run.tenant_id):
        run.refresh_from_db()
    assert (run.state, run.pause_reason) == (SendRun.State.PAUSED, "account_paused")
    assert states(run) == {"queued": PEOPLE}
    asked = len(vendor.asked)
    worker.run()
    assert len(vendor.asked) == asked
    vendor.answer = accepted
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(circuit_reason="")
        resume_run(run=run)
    due_now(run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}


def test_consent_withdrawn_after_the_freeze_is_honoured(run, vendor):
    with tenant_scope(run.tenant_id):
        ConsentState.objects.update(marketing_opted_out=True)
    worker.run()
    assert states(run) == {"skipped": PEOPLE}
    assert vendor.asked == []
    with tenant_scope(run.tenant_id):
        assert {m.reason for m in Message.objects.filter(run=run)} == {"opted_out"}


def test_window_that_closes_mid_run_parks_the_rest(run, vendor):
    now = timezone.now().astimezone(ZoneInfo("Asia/Kolkata"))
    opens = (now + dt.timedelta(hours=3)).replace(second=0, microsecond=0)
    with tenant_scope(run.tenant_id):
        closes = (now + dt.timedelta(hours=6)).time().replace(second=0, microsecond=0)
        set_config(send_window_start=opens.time(), send_window_end=closes)
    worker.run()
    assert vendor.asked == []
    assert states(run) == {"queued": PEOPLE}
    with tenant_scope(run.tenant_id):
        message = Message.objects.filter(run=run).first()
        assert (message.reason, message.not_before) == ("outside_window", opens)
        batch = DispatchBatch.objects.get(pk=message.batch_id)
        assert batch.next_at == opens
        open_all_hours()
    due_now(run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}


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


def test_two_runs_share_a_customers_cap(live_chain, vendor, settings):
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        set_config(daily_message_limit_per_customer=1)
        make_sender(rate_per_second=1000)
        CustomerFactory.create_batch(PEOPLE, home_branch=live_chain.north)
        runs = [make_run(), make_run()]
        for run in runs:
            freeze_run(run=run, audience=everyone())
    threads = [threading.Thread(target=worker.run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with tenant_scope(live_chain.tenant.pk):
        messages = Message.objects.all()
        assert messages.filter(state="sent").count() == PEOPLE
        assert messages.filter(state="skipped", reason="daily_cap").count() == PEOPLE
        assert len({body["to"] for body in vendor.asked}) == len(vendor.asked) == PEOPLE


def test_four_workers_on_one_run_send_to_everybody_once(run, vendor):
    threads = [threading.Thread(target=worker.run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(run) == {"sent": PEOPLE}
    assert len(vendor.asked) == PEOPLE


def test_worker_that_lost_its_lease_marks_nothing(run):
    lease = leases.claim()
    DispatchBatch.objects.filter(pk=lease.batch_id).update(
        leased_until=timezone.now() - dt.timedelta(seconds=1)
    )
    taken = leases.claim()
    while taken.batch_id != lease.batch_id:
        taken = leases.claim()
    assert mark(lease, load_sending(lease), 10).lost
    assert len(mark(taken, load_sending(taken), 10).messages) == 10


def test_rendering_fault_fails_the_message_alone(live_chain, vendor, settings):
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender(rate_per_second=1000)
        CustomerFactory.create_batch(2, home_branch=live_chain.north)
        run = make_run(TemplateFactory())
        freeze_run(run=run, audience=everyone())
        broken = Message.objects.filter(run=run).first()
        Message.objects.filter(pk=broken.pk).update(variables={})
    worker.run()
    assert states(run) == {"sent": 1, "failed": 1}
    with tenant_scope(run.tenant_id):
        assert Message.objects.get(pk=broken.pk).error_code == "render"


class TestAfterAKill:
    """What a dead worker left is settled by its journal, and only the rest is unknown."""

    def leave(self, run, *, started, answered):
        """Claim a batch, mark ten messages, note some starts and answers, and vanish."""
        notes = Journal()
        lease = leases.claim()
        notes.lease(lease)
        marked = mark(lease, load_sending(lease), 10).messages
        ids = [message.id for message in marked]
        notes.start(ids[:started])
        for message_id in ids[:answered]:
            accepted = Result(ResultClass.ACCEPTED, reference=f"ref-{message_id}")
            notes.answers([Outcome(message_id, accepted)])
        notes.leave()
        return ids

    def test_each_message_by_what_is_known_of_it(self, run, vendor):
        ids = self.leave(run, started=6, answered=4)
        recovery.recover_abandoned()
        with tenant_scope(run.tenant_id):
            found = [Message.objects.get(pk=message_id).state for message_id in ids]
        assert found == ["sent"] * 4 + ["unknown"] * 2 + ["queued"] * 4
        due_now(run)
        worker.run()
        assert states(run) == {"sent": PEOPLE - 2, "unknown": 2}
        assert not set(vendor.times_asked()) & {str(message_id) for message_id in ids[:6]}

    def test_live_workers_are_left_alone(self, run):
        notes = Journal()
        notes.lease(leases.claim())
        recovery.recover_abandoned()
        assert notes.path.exists()
        notes.close()

    def test_line_cut_short_by_the_kill_counts_as_not_written(self, run):
        ids = self.leave(run, started=2, answered=0)
        (path,) = journal.folder().glob("*.jsonl")
        path.write_bytes(path.read_bytes() + b'["start", ["' + str(ids[5]).encode())
        recovery.recover_abandoned()
        with tenant_scope(run.tenant_id):
            assert Message.objects.get(pk=ids[5]).state == "queued"

    def test_without_its_journal_a_message_is_unknown_in_the_end(self, run):
        ids = self.leave(run, started=0, answered=0)
        for path in journal.folder().glob("*.jsonl"):
            path.unlink()
        recovery.sweep()
        with connection.cursor() as cursor, tenant_scope(run.tenant_id):
            cursor.execute(
                "UPDATE delivery_message SET sending_at = sending_at - interval '80 seconds'"
                " WHERE state = 'sending'"
            )
        recovery.sweep()
        with tenant_scope(run.tenant_id):
            assert {Message.objects.get(pk=i).state for i in ids} == {"unknown"}
