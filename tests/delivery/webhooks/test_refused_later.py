"""What a vendor accepted and refused later for its account, or for a trouble that passes."""

import datetime as dt

import pytest
from django.utils import timezone

from customers.models import ConsentRecord, ConsentState, Suppression
from marketing.core.actor import Actor
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.leaving import lock_people
from marketing.delivery.models import ContactLoad, DispatchBatch, Message, SendRun
from marketing.delivery.providers.base import StatusUpdate
from marketing.delivery.rules import MAX_TRIES, Result, ResultClass
from marketing.delivery.services import freeze_run, resume_run
from marketing.delivery.webhooks import consumer
from marketing.delivery.webhooks.reports import Report
from marketing.delivery.webhooks.statuses import apply, people_leaving
from marketing.policy.models import ProviderAccount
from marketing.policy.services import close_circuit
from tests.delivery.webhooks.conftest import (
    PRICE,
    batch_of,
    counted,
    messages,
    money,
    say,
    state_of,
    written,
)
from tests.delivery.webhooks.payloads import status, statuses
from tests.factories.delivery import everyone, make_run, start

UNPAID = {"code": 131042, "title": "Payment issue", "error_data": {"details": "Pay the bill"}}
BUSY = {"code": 131016, "title": "Service unavailable"}


def mend(run):
    """Somebody pays the vendor, a minute later, and lets the account go on."""
    with tenant_scope(run.tenant_id):
        Message.objects.filter(state="queued").update(not_before=None)
        ContactLoad.objects.update(whatsapp_at=timezone.now() - dt.timedelta(minutes=1))
        DispatchBatch.objects.update(next_at=timezone.now())
        close_circuit(actor=Actor.system(run.tenant_id), account=ProviderAccount.objects.get())
        resume_run(run=run)
    worker.run()


def first_try(message):
    """The message as the vendor named it then."""
    message.provider_message_id = "wamid.first"
    return message


class TestAccountFault:
    def test_opens_the_circuit_once_and_pauses_its_runs(self, run, done, post):
        at = int(timezone.now().timestamp())
        rows = messages(run)
        post(statuses(*(status(m, "failed", at, errors=[UNPAID]) for m in rows)))
        consumer.consume_due()
        assert state_of(run) == SendRun.State.PAUSED
        assert run.pause_reason == "account_paused"
        assert run.pause_detail.endswith(": Pay the bill")
        assert counted(run) == {"queued": 3}
        assert {batch_of(m).state for m in rows} == {"stopped"}
        with tenant_scope(run.tenant_id):
            assert ProviderAccount.objects.get().circuit_reason == run.pause_detail
            assert AuditEntry.objects.filter(action="account.open_circuit").count() == 1

    def test_takes_what_else_the_account_would_send_along(self, run, post):
        with tenant_scope(run.tenant_id):
            other = make_run()
            freeze_run(run=other, audience=everyone())
        say(post, messages(run)[0], "failed", UNPAID)
        assert state_of(other) == SendRun.State.PAUSED

    def test_is_queued_without_slot_or_charge_like_a_refusal_at_once(self, run, done, post):
        say(post, done, "failed", UNPAID)
        message = messages(run)[0]
        assert (message.state, message.error_code, message.error_class) == (
            "queued", "131042", "fail_account",
        )  # fmt: skip
        assert (message.slot_at, message.sent_at) == (None, None)
        with tenant_scope(run.tenant_id):
            assert ContactLoad.objects.get(customer_id=done.customer_id).sent == []
        assert money(run) == (3 * PRICE, 0)

    def test_is_sent_once_when_the_account_is_mended(self, run, done, post, vendor):
        say(post, done, "failed", UNPAID)
        mend(run)
        assert counted(run) == {"sent": 3}
        assert len(vendor.asked) == 4
        assert state_of(run) == SendRun.State.DONE
        # The vendor hands its first word in again, long after and by another clock.
        for late in (dt.timedelta(0), dt.timedelta(hours=3)):
            say(post, first_try(done), "failed", UNPAID, at=timezone.now() - late)
        assert messages(run)[0].state != "queued"

    def test_an_old_word_while_it_waits_changes_nothing(self, run, done, post):
        for _ in range(2):
            say(post, done, "failed", UNPAID)
            say(post, done, "sent")
        assert counted(run) == {"queued": 1, "sent": 2}

    def test_of_a_cancelled_run_it_fails(self, run, done, post):
        with tenant_scope(run.tenant_id):
            SendRun.objects.filter(pk=run.pk).update(state=SendRun.State.CANCELLED)
        say(post, done, "failed", UNPAID)
        assert counted(run) == {"failed": 1, "sent": 2}


class TestDoNotDisturb:
    def report(self, run, message):
        update = StatusUpdate(
            key="r1:9",
            state="failed",
            at=timezone.now(),
            message_id=message.pk,
            code="9",
            error_class=ResultClass.FAIL_RECIPIENT,
            is_on_dnd=True,
        )
        with tenant_scope(run.tenant_id):
            report = Report(message.account_id, update)
            lock_people(people_leaving([report]))
            apply([report])

    def test_is_noted_of_the_person_with_where_it_was_heard(self, run):
        first = messages(run)[0]
        self.report(run, first)
        with tenant_scope(run.tenant_id):
            on_register = ConsentState.objects.filter(is_dnd=True)
            assert [state.customer_id for state in on_register] == [first.customer_id]
            line = ConsentRecord.objects.get(state="dnd_set")
            assert (line.customer_id, line.source) == (first.customer_id, "provider")
            assert AuditEntry.objects.filter(changes__is_dnd=[False, True]).count() == 1
            assert not Suppression.objects.exists()
        assert counted(run) == {"failed": 1, "sent": 2}

    def test_an_old_word_does_not_set_it_again(self, run):
        first = messages(run)[0]
        self.report(run, first)
        with tenant_scope(run.tenant_id):
            ConsentState.objects.update(is_dnd=False)
        self.report(run, first)
        with tenant_scope(run.tenant_id):
            assert not ConsentState.objects.filter(is_dnd=True).exists()


class TestTransientFault:
    @pytest.mark.parametrize(("tries", "minutes"), [(1, 5), (2, 20), (4, 320)])
    def test_is_tried_again_with_growing_gaps(self, run, done, post, tries, minutes):
        with tenant_scope(run.tenant_id):
            Message.objects.filter(pk=done.pk).update(tries=tries)
        before = timezone.now()
        say(post, done, "failed", BUSY)
        message = messages(run)[0]
        assert (message.state, message.error_class) == ("queued", "retry")
        gap = dt.timedelta(minutes=minutes)
        assert before + gap <= message.not_before <= timezone.now() + gap
        assert (state_of(run), batch_of(message).next_at) == ("frozen", message.not_before)

    @pytest.mark.parametrize(
        ("tries", "expected"), [(1, {"queued": 1, "sent": 2}), (2, {"failed": 1, "sent": 2})]
    )
    def test_a_fault_worth_one_more_try_has_one(self, run, done, tries, expected):
        with tenant_scope(run.tenant_id):
            Message.objects.filter(pk=done.pk).update(tries=tries)
            update = StatusUpdate(
                key="30003",
                state="failed",
                at=timezone.now(),
                message_id=done.pk,
                reference=done.provider_message_id,
                code="30003",
                error_class="retry",
                most_tries=2,
            )
            apply([Report(done.account_id, update)])
        assert counted(run) == expected

    def test_fails_after_the_last_try(self, run, done, post):
        with tenant_scope(run.tenant_id):
            Message.objects.filter(pk=done.pk).update(tries=MAX_TRIES)
        say(post, done, "failed", BUSY)
        assert counted(run) == {"failed": 1, "sent": 2}

    @pytest.mark.parametrize("ending", ["sent", "unknown", "sending"])
    def test_an_old_word_has_no_later_try_repeated(self, run, done, post, ending):
        say(post, done, "failed", BUSY)
        with tenant_scope(run.tenant_id):
            Message.objects.filter(pk=done.pk).update(tries=2)
            start(Message.objects.get(pk=done.pk), timezone.now() + dt.timedelta(minutes=5))
        if ending == "sent":
            written(run, done, Result(ResultClass.ACCEPTED, reference="wamid.second"), 2)
        elif ending == "unknown":
            written(run, done, Result(ResultClass.UNKNOWN, code="no_answer"), 2)
        say(post, done, "failed", BUSY)
        assert messages(run)[0].state == ending

    def test_a_word_of_the_later_try_may_overtake_its_answer(self, run, done, post):
        say(post, done, "failed", BUSY)
        with tenant_scope(run.tenant_id):
            Message.objects.filter(pk=done.pk).update(tries=2)
            start(Message.objects.get(pk=done.pk))
        done.provider_message_id = "wamid.second"
        say(post, done, "sent")
        assert messages(run)[0].provider_message_id == "wamid.second"
        say(post, done, "failed", BUSY)
        assert messages(run)[0].state == "queued"

    def test_arrived_after_all_it_is_not_tried_again(self, run, done, post):
        say(post, done, "failed", BUSY)
        say(post, done, "delivered")
        assert counted(run) == {"delivered": 1, "sent": 2}
