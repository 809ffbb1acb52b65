"""Who is reached on the first channel while the second one waits is not written to again."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction
from django.utils import timezone

from marketing.core.tenancy import tenant_scope
from marketing.delivery.attempts import channels_of
from marketing.delivery.counters import count_causes
from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch import worker
from marketing.delivery.dispatch.marking import mark
from marketing.delivery.dispatch.sending import load_sending
from marketing.delivery.models import BatchCost, BatchReason, DispatchBatch, Message
from marketing.delivery.rules import ResultClass
from marketing.delivery.selectors import recipients_page
from marketing.delivery.services import cancel_run, settle_due
from tests.concurrency import wait_for_me
from tests.delivery.cascade.runs import (
    SMS,
    WHATSAPP,
    assert_sum_law,
    attempts,
    finish,
    frozen,
    live,
    prepare,
    report,
    sweep,
)
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import states_of

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def handed_on(live_chain, vendor, settings):
    """Two people whose WhatsApp message did not arrive in time: an SMS waits for each."""
    settings.SANDBOX_URL = vendor.url
    vendor.answer = lambda body: (200, {"type": "success", "message": "376b6f6c7a"}, {})
    with tenant_scope(live_chain.tenant.pk):
        prepare()
        people = CustomerFactory.create_batch(2, home_branch=live_chain.north)
        run = frozen(steps=2)
        for person in people:
            finish(live(run, person), ResultClass.ACCEPTED, at=timezone.now() - HOUR)
        sweep(run)
        assert [attempts(run, person)[1] for person in people] == [(SMS, "queued")] * 2
        return run, people


def first_of(run, person):
    return Message.objects.get(run=run, customer=person, step=WHATSAPP)


def hold(run, hours):
    """The SMS was held for the night, which is over by now, or is not (`hours` from now)."""
    until = timezone.now() + hours * HOUR
    waiting = Message.objects.filter(run=run, step=SMS)
    waiting.update(state="held", reason="outside_window", not_before=until)
    batch = DispatchBatch.objects.filter(run_id=run.pk, step=SMS)
    batch.update(queued=0, held=waiting.count(), next_at=until)
    count_causes({(batch.get().pk, "held", "outside_window"): waiting.count()})


@pytest.mark.parametrize("is_held", [False, True])
@pytest.mark.parametrize("state", ["delivered", "read"])
def test_the_other_message_is_not_sent(handed_on, vendor, state, is_held):
    run, (asha, bina) = handed_on
    with tenant_scope(run.tenant_id):
        if is_held:
            hold(run, hours=-1)
        report(first_of(run, asha), state)
    worker.run()
    with tenant_scope(run.tenant_id):
        assert attempts(run, asha) == [(WHATSAPP, state), (SMS, "skipped")]
        assert attempts(run, bina) == [(WHATSAPP, "sent"), (SMS, "sent")]
        skipped = Message.objects.get(run=run, customer=asha, step=SMS)
        assert (skipped.reason, skipped.fallback_id) == ("reached", first_of(run, asha).pk)
        assert states_of(run) == {state: 1, "sent": 1}
        assert_sum_law(run)
    assert sum(len(body["recipients"]) for body in vendor.asked) == 1


def test_of_many_reached_nobody_moves_up_unseen(live_chain, vendor, settings):
    """With room for one message at a time; whoever is skipped makes room for the next."""
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        prepare()
        people = CustomerFactory.create_batch(4, home_branch=live_chain.north)
        run = frozen(steps=2)
        for person in people:
            finish(live(run, person), ResultClass.ACCEPTED, at=timezone.now() - HOUR)
        sweep(run)
        for person in people[:3]:
            report(first_of(run, person), "delivered")
    lease = next(lease for lease in iter(leases.claim, None) if lease.step == SMS)
    sending = load_sending(lease)
    taken = mark(lease, sending, 1)
    assert [message.customer_id for message in taken.messages] == [people[3].pk]
    assert not mark(lease, sending, 1).messages
    with tenant_scope(run.tenant_id):
        assert states_of(run) == {"delivered": 3, "sending": 1}
        assert_sum_law(run)


def test_she_stands_as_who_was_reached(handed_on, vendor):
    run, (asha, _bina) = handed_on
    with tenant_scope(run.tenant_id):
        report(first_of(run, asha), "delivered")
    worker.run()
    with tenant_scope(run.tenant_id):
        (shown,) = recipients_page(run, states=["delivered"], size=10)
        assert (shown.customer_id, shown.channel) == (asha.pk, "whatsapp")
        assert [attempt.reason for attempt in shown.attempts] == ["", "reached"]
        whatsapp, sms = channels_of([run.pk])[run.pk]
        assert (whatsapp.attempts, whatsapp.handed_on) == (2, 1)
        assert (sms.attempts, sms.handed_on) == (2, 1)


def test_what_was_kept_for_the_other_message_is_free_again(handed_on, vendor):
    run, (asha, _bina) = handed_on
    with tenant_scope(run.tenant_id):
        report(first_of(run, asha), "delivered")
    worker.run()
    settle_due()
    with tenant_scope(run.tenant_id):
        costs = Message.objects.filter(run=run, step=SMS).order_by("customer_id")
        free, kept = sorted(message.cost for message in costs)
        assert free == 0 < kept
        batch_id = Message.objects.get(run=run, customer=asha, step=SMS).batch_id
        held = BatchCost.objects.filter(batch_id=batch_id)
        assert sum(cost.reserved + cost.spent for cost in held) == kept
        assert_sum_law(run)


def meanwhile(run, change):
    """Mark the waiting messages while `change` is made, and not yet seen by anybody else."""
    lease = next(lease for lease in iter(leases.claim, None) if lease.step == SMS)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), tenant_scope(run.tenant_id):
            change()
            marking = wait_for_me(lambda: mark(lease, load_sending(lease), 10), pool)
        return marking.result()


def test_what_is_read_meanwhile_is_counted_as_read(handed_on):
    run, (asha, bina) = handed_on
    with tenant_scope(run.tenant_id):
        report(first_of(run, asha), "delivered")
        first = first_of(run, asha)
    taken = meanwhile(run, lambda: report(first, "read"))
    assert [message.customer_id for message in taken.messages] == [bina.pk]
    with tenant_scope(run.tenant_id):
        assert attempts(run, asha) == [(WHATSAPP, "read"), (SMS, "skipped")]
        assert states_of(run) == {"read": 1, "sending": 1}
        assert_sum_law(run)


@pytest.mark.parametrize("said", ["delivered", "failed", "cancelled"])
def test_what_waits_no_more_is_not_skipped(handed_on, said):
    """The SMS had a try before: a word about that, or a cancel, has it while it is looked at."""
    run, (asha, bina) = handed_on
    with tenant_scope(run.tenant_id):
        report(first_of(run, asha), "delivered")
        Message.objects.filter(run=run, step=SMS).update(tries=1, sending_at=timezone.now())
        second = Message.objects.get(run=run, customer=asha, step=SMS)

    def change():
        if said == "cancelled":
            cancel_run(run=run)
        else:
            report(second, said, "fail_recipient" if said == "failed" else "")

    meanwhile(run, change)
    with tenant_scope(run.tenant_id):
        second.refresh_from_db()
        stands = {"cancelled": ("skipped", "cancelled")}.get(said, (said, ""))
        assert (second.state, second.reason) == stands
        assert second.fallback_id is None
        other = "skipped" if said == "cancelled" else "sending"
        assert attempts(run, bina)[1] == (SMS, other)
        assert_sum_law(run)


def test_who_was_reached_does_not_wait_for_the_morning_to_be_skipped(handed_on, vendor):
    """Another message of her batch may go now; hers was held until in an hour."""
    run, (asha, bina) = handed_on
    with tenant_scope(run.tenant_id):
        hold(run, hours=1)
        Message.objects.filter(run=run, step=SMS, customer=bina).update(not_before=timezone.now())
        DispatchBatch.objects.filter(run_id=run.pk, step=SMS).update(next_at=timezone.now())
        report(first_of(run, asha), "delivered")
    worker.run()
    with tenant_scope(run.tenant_id):
        assert attempts(run, asha) == [(WHATSAPP, "delivered"), (SMS, "skipped")]
        assert attempts(run, bina) == [(WHATSAPP, "sent"), (SMS, "sent")]
        assert states_of(run) == {"delivered": 1, "sent": 1}
        assert not BatchReason.objects.filter(run_id=run.pk, state="held").exclude(count=0).exists()
        assert_sum_law(run)


def test_who_is_still_held_waits_as_before(handed_on, vendor):
    run, (asha, _bina) = handed_on
    with tenant_scope(run.tenant_id):
        hold(run, hours=1)
        report(first_of(run, asha), "delivered")
    worker.run()
    with tenant_scope(run.tenant_id):
        assert attempts(run, asha)[1] == (SMS, "held")
        assert_sum_law(run)
    assert not vendor.asked


def test_who_was_not_reached_gets_the_other_message(handed_on, vendor):
    run, people = handed_on
    worker.run()
    with tenant_scope(run.tenant_id):
        assert [attempts(run, person)[1] for person in people] == [(SMS, "sent")] * 2
