"""What a worker that died or fell behind leaves: each message by what is known of it."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

from django.db import connection
from django.utils import timezone

from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import journal, marking, recovery, worker
from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch.journal import Journal
from marketing.delivery.dispatch.marking import mark
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.dispatch.sending import load_sending
from marketing.delivery.models import DispatchBatch, Message
from marketing.delivery.rules import Result, ResultClass
from tests.concurrency import wait_for_me
from tests.delivery.dispatch.runs import PEOPLE, due_now, states


def take_over(lease):
    """Another worker's lease of the batch, as this one's has run out."""
    DispatchBatch.objects.filter(pk=lease.batch_id).update(
        leased_until=timezone.now() - dt.timedelta(seconds=1)
    )
    taken = leases.claim()
    while taken.batch_id != lease.batch_id:
        taken = leases.claim()
    return taken


def test_worker_that_lost_its_lease_marks_nothing(run):
    lease = leases.claim()
    taken = take_over(lease)
    assert mark(lease, load_sending(lease), 10).lost
    assert len(mark(taken, load_sending(taken), 10).messages) == 10


def test_worker_that_loses_its_lease_while_it_marks_marks_nothing(run, monkeypatch):
    lease = leases.claim()
    usual = marking._mark_sending

    def mark_slowly(*args):
        usual(*args)
        with ThreadPoolExecutor() as pool:
            wait_for_me(lambda: take_over(lease), pool).result()

    monkeypatch.setattr(marking, "_mark_sending", mark_slowly)
    assert mark(lease, load_sending(lease), 10).lost
    assert states(run) == {"queued": PEOPLE}


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
