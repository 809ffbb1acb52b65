"""What follows when an attempt fails, or does not arrive in time."""

import datetime as dt
from collections import Counter

import pytest
import time_machine
from django.utils import timezone

from customers.models import ConsentState
from customers.services import suppress_address
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import DispatchBatch, Message
from marketing.delivery.rules import ResultClass
from marketing.delivery.services import (
    cascade,
    sweep_fallbacks,
)
from tests.concurrency import at_once
from tests.delivery.cascade.runs import (
    EMAIL,
    MINUTE,
    NOON,
    SMS,
    WHATSAPP,
    assert_sum_law,
    attempts,
    due,
    fail,
    finish,
    frozen,
    live,
    prepare,
    report,
    sweep,
)
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    states_of,
)


class TestFallback:
    def test_a_failure_is_followed_at_once(self, ready):
        asha = CustomerFactory(home_branch=ready.north)
        run = frozen()
        first = live(run, asha)
        fail(first)
        sweep_fallbacks()
        assert attempts(run, asha) == [(WHATSAPP, "failed"), (SMS, "queued")]
        second = live(run, asha)
        first.refresh_from_db()
        assert first.fallback_id == second.pk
        assert second.attempt_of == first.pk
        assert second.branch_id == ready.north.pk
        assert states_of(run) == {"queued": 1}
        assert_sum_law(run)

    def test_each_further_failure_goes_on_to_the_end_and_stays_there(self, ready):
        asha = CustomerFactory()
        run = frozen()
        for _ in range(4):
            message = live(run, asha)
            if message.state == "queued":
                fail(message)
            sweep(run)
            assert_sum_law(run)
        assert attempts(run, asha) == [(WHATSAPP, "failed"), (SMS, "failed"), (EMAIL, "failed")]
        first, *others = Message.objects.filter(run=run).order_by("pk")
        assert {m.attempt_of for m in others} == {first.pk}

    @pytest.mark.parametrize(("passed", "follows"), [(29, False), (30, True)])
    def test_the_timer_runs_out_at_its_minute(self, ready, passed, follows):
        asha = CustomerFactory()
        run = frozen(minutes=30)
        finish(live(run, asha), ResultClass.ACCEPTED, at=NOON)
        due(run)
        moment = NOON + passed * MINUTE
        DispatchBatch.objects.filter(fallback_at__isnull=False).update(fallback_at=moment)
        with time_machine.travel(moment, tick=False):
            sweep_fallbacks()
        expected = [(WHATSAPP, "sent")] + [(SMS, "queued")] * follows
        assert attempts(run, asha) == expected
        batch = DispatchBatch.objects.get(run_id=run.pk, step=WHATSAPP)
        assert batch.fallback_at == (None if follows else NOON + 30 * MINUTE)
        assert_sum_law(run)

    @pytest.mark.parametrize("state", ["delivered", "read"])
    def test_what_arrived_in_time_is_not_followed(self, ready, state):
        asha = CustomerFactory()
        run = frozen(minutes=30)
        message = live(run, asha)
        finish(message, ResultClass.ACCEPTED, at=timezone.now() - dt.timedelta(hours=1))
        report(message, state)
        sweep(run)
        assert attempts(run, asha) == [(WHATSAPP, state)]

    def test_a_failure_reported_before_the_timer_is_followed_at_once(self, ready):
        asha = CustomerFactory()
        run = frozen(minutes=600)
        message = live(run, asha)
        finish(message, ResultClass.ACCEPTED)
        sweep_fallbacks()
        assert attempts(run, asha) == [(WHATSAPP, "sent")]
        report(message, "failed", "fail_recipient")
        sweep_fallbacks()
        assert attempts(run, asha) == [(WHATSAPP, "failed"), (SMS, "queued")]

    def test_unknown_is_never_followed(self, ready):
        asha = CustomerFactory()
        run = frozen(minutes=1)
        long_ago = timezone.now() - dt.timedelta(days=1)
        finish(live(run, asha), ResultClass.UNKNOWN, at=long_ago)
        DispatchBatch.objects.filter(run_id=run.pk).update(fallback_at=long_ago)
        sweep_fallbacks()
        assert attempts(run, asha) == [(WHATSAPP, "unknown")]

    def test_who_told_the_vendor_to_stop_is_not_written_to_elsewhere(self, ready):
        asha = CustomerFactory()
        run = frozen()
        finish(live(run, asha), ResultClass.FAIL_OPTOUT, "131050")
        sweep(run)
        assert attempts(run, asha) == [(WHATSAPP, "failed")]
        assert live(run, asha).fallback_cost is None

    def test_opting_out_between_ends_it(self, ready):
        asha = CustomerFactory()
        run = frozen()
        fail(live(run, asha))
        ConsentState.objects.filter(customer=asha).update(marketing_opted_out=True)
        sweep(run)
        assert attempts(run, asha) == [(WHATSAPP, "failed")]
        ConsentState.objects.filter(customer=asha).update(marketing_opted_out=False)
        sweep(run)
        assert attempts(run, asha) == [(WHATSAPP, "failed")]
        assert_sum_law(run)

    def test_a_step_closed_to_her_is_passed_over(self, ready):
        asha = CustomerFactory()
        run = frozen()
        suppress_address(channel="sms", address=asha.phone, reason="invalid")
        fail(live(run, asha))
        sweep_fallbacks()
        assert attempts(run, asha) == [(WHATSAPP, "failed"), (EMAIL, "queued")]

    def test_who_preferred_another_channel_goes_on_with_the_first_untried(self, ready):
        asha = CustomerFactory(preferred_channel="sms")
        run = frozen()
        for _ in range(2):
            fail(live(run, asha))
            sweep_fallbacks()
        assert attempts(run, asha) == [(SMS, "failed"), (WHATSAPP, "failed"), (EMAIL, "queued")]

    def test_single_and_all_are_never_followed(self, ready):
        asha = CustomerFactory()
        for mode in ("single", "all"):
            run = frozen(mode)
            made = attempts(run)
            for message in Message.objects.filter(run=run):
                fail(message)
            DispatchBatch.objects.filter(run_id=run.pk).update(fallback_at=timezone.now())
            sweep_fallbacks()
            assert len(attempts(run, asha)) == len(made)

    def test_a_twin_who_was_written_to_on_that_step_keeps_her_phone(self, ready):
        twin = CustomerFactory(preferred_channel="sms")
        asha = CustomerFactory(phone=twin.phone, preferred_channel="email")
        run = frozen(steps=3)
        assert attempts(run, asha) == [(EMAIL, "queued")]
        fail(live(run, asha))
        sweep_fallbacks()
        assert attempts(run, asha) == [(EMAIL, "failed"), (WHATSAPP, "queued")]
        fail(live(run, asha))
        sweep(run)
        assert attempts(run, asha) == [(EMAIL, "failed"), (WHATSAPP, "failed")]

    def test_two_who_share_a_phone_and_fall_back_together_are_written_to_once(self, ready):
        first = CustomerFactory(preferred_channel="email")
        second = CustomerFactory(preferred_channel="email", phone=first.phone)
        run = frozen()
        for customer in (first, second):
            fail(live(run, customer))
        sweep(run)
        assert attempts(run, first)[1:] == [(WHATSAPP, "queued")]
        assert attempts(run, second)[1:] == []

    def test_a_late_delivery_of_what_was_superseded_moves_no_counter(self, ready):
        asha = CustomerFactory()
        run = frozen()
        first = live(run, asha)
        finish(first, ResultClass.ACCEPTED, at=timezone.now() - dt.timedelta(hours=1))
        sweep(run)
        report(first, "delivered")
        first.refresh_from_db()
        assert first.state == "delivered"
        assert states_of(run) == {"queued": 1}
        assert_sum_law(run)


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_make_one_attempt(live_chain):
    """Fails without `fallback_id IS NULL`: the second sweep sees the same failed messages."""
    with tenant_scope(live_chain.tenant.pk):
        prepare()
        CustomerFactory.create_batch(20, home_branch=live_chain.north)
        run = frozen()
        for message in Message.objects.filter(run=run):
            fail(message)

    def work():
        with tenant_scope(live_chain.tenant.pk):
            cascade._sweep(run.pk, timezone.now())

    at_once(4, work)
    with tenant_scope(live_chain.tenant.pk):
        assert Counter(attempts(run)) == {(WHATSAPP, "failed"): 20, (SMS, "queued"): 20}
        assert_sum_law(run)
