"""A run over several channels: who gets what at the freeze, and what follows when it fails."""

import datetime as dt
import threading
from collections import Counter
from decimal import Decimal

import pytest
import time_machine
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import ConsentState
from customers.services import suppress_address
from marketing.core.errors import BudgetExceeded
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import outcomes
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.estimate import estimate
from marketing.delivery.models import BatchCost, DispatchBatch, Message, SendRun
from marketing.delivery.providers.base import StatusUpdate
from marketing.delivery.rules import Result, ResultClass
from marketing.delivery.selectors import run_progress
from marketing.delivery.services import (
    cancel_run,
    cascade,
    finish_run_if_done,
    freeze_run,
    pause_run,
    resume_run,
    settle_due,
    sweep_fallbacks,
)
from marketing.delivery.webhooks import statuses
from marketing.delivery.webhooks.reports import Report
from marketing.policy.models import BudgetMonth, ProviderAccount
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    everyone,
    make_channel_run,
    make_sender,
    open_all_hours,
    set_load,
    start,
    states_of,
)
from tests.factories.policy import set_branch_config, set_config

WHATSAPP, SMS, EMAIL = 0, 1, 2
PRICES = {"whatsapp": Decimal("0.8631"), "sms": Decimal("0.2500"), "email": Decimal("0.0200")}
NOON = dt.datetime.now(dt.UTC).replace(hour=6, minute=30, second=0, microsecond=0)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def ready(chain):
    prepare()
    return chain


def prepare():
    open_all_hours()
    for channel in ("whatsapp", "sms", "email"):
        make_sender(channel)


def templates():
    return TemplateFactory(), TemplateFactory(sms=True), TemplateFactory(email=True)


def frozen(mode="cascade", minutes=30, steps=3, **values):
    run = make_channel_run(mode, *templates()[:steps], minutes=minutes, **values)
    freeze_run(run=run, audience=everyone())
    run.refresh_from_db()
    return run


def attempts(run, customer=None):
    """(step, state) of every message, in the order in which they were made."""
    rows = Message.objects.filter(run=run).order_by("pk")
    rows = rows.filter(customer=customer) if customer else rows
    return [(row.step, row.state) for row in rows]


def live(run, customer):
    return Message.objects.get(run=run, customer=customer, fallback_id=None)


def finish(message, outcome, code="", at=None):
    """Send it, with the vendor's answer."""
    start(message, at)
    result = Result(outcome, code=code)
    outcomes.write(
        message.tenant_id, [Outcome(message.pk, result, tries=9)], message.pk, message.pk
    )


def report(message, state, error_class=""):
    update = StatusUpdate(
        key=f"{message.pk}{state}",
        state=state,
        at=timezone.now(),
        message_id=message.pk,
        error_class=error_class,
    )
    statuses.apply([Report(message.account_id, update)])


def fail(message):
    finish(message, ResultClass.FAIL_RECIPIENT, "131026")


def due(run):
    """Let the timers of the run be looked at now."""
    DispatchBatch.objects.filter(run_id=run.pk, fallback_at__isnull=False).update(
        fallback_at=timezone.now() - MINUTE
    )


def sweep(run):
    due(run)
    sweep_fallbacks()


def assert_sum_law(run):
    """Audience = sum of the nine states, and the counters say what the rows do."""
    progress = run_progress(run)
    assert sum(progress.states.values()) == progress.audience
    extra = DispatchBatch.objects.filter(run_id=run.pk, is_extra=True).values("pk")
    rows = Message.objects.filter(run=run, fallback_id=None).exclude(batch_id__in=extra)
    assert Counter(rows.values_list("state", flat=True)) == Counter(
        {state: count for state, count in progress.states.items() if count}
    )


class TestFreeze:
    def test_single_sends_the_first_step_only(self, ready):
        asha = CustomerFactory(preferred_channel="sms")
        run = frozen("single")
        assert attempts(run, asha) == [(WHATSAPP, "queued")]
        assert not DispatchBatch.objects.filter(fallback_minutes__isnull=False).exists()

    def test_cascade_begins_with_the_first_step_that_lets_her_through(self, ready):
        asha = CustomerFactory(preferred_channel="whatsapp")
        meera = CustomerFactory(consent={"whatsapp_promotional": False})
        run = frozen()
        assert attempts(run, asha) == [(WHATSAPP, "queued")]
        assert attempts(run, meera) == [(SMS, "queued")]
        assert Message.objects.get(customer=meera).address == meera.phone

    def test_cascade_begins_with_the_preferred_channel(self, ready):
        asha = CustomerFactory(preferred_channel="email")
        assert attempts(frozen(), asha) == [(EMAIL, "queued")]

    def test_a_preferred_channel_that_is_closed_to_her_is_passed_over(self, ready):
        asha = CustomerFactory(preferred_channel="sms", consent={"sms_promotional": False})
        assert attempts(frozen(), asha) == [(WHATSAPP, "queued")]

    @pytest.mark.parametrize("mode", ["cascade", "all"])
    def test_who_passes_none_is_one_skipped_row_with_the_first_steps_reason(self, ready, mode):
        asha = CustomerFactory(phone="", email="", whatsapp_id="")
        run = frozen(mode)
        assert attempts(run, asha) == [(WHATSAPP, "skipped")]
        assert Message.objects.get().reason == "no_address"
        assert run.audience == 1

    def test_all_sends_every_step_that_lets_her_through_and_counts_the_first(self, ready):
        asha = CustomerFactory(consent={"whatsapp_promotional": False})
        run = frozen("all")
        first, second = Message.objects.filter(run=run).order_by("pk")
        assert [(m.step, m.state) for m in (first, second)] == [(SMS, "queued"), (EMAIL, "queued")]
        assert (first.attempt_of, second.attempt_of) == (None, first.pk)
        assert not DispatchBatch.objects.get(pk=first.batch_id).is_extra
        assert DispatchBatch.objects.get(pk=second.batch_id).is_extra
        assert run.audience == 1
        assert asha.pk == second.customer_id
        assert_sum_law(run)

    def test_messages_of_many_people_lie_in_the_batches_of_their_steps(self, ready):
        for channel in ("whatsapp", "sms", "email", "whatsapp"):
            CustomerFactory.create_batch(4, preferred_channel=channel)
        run = frozen()
        batches = {b.pk: b for b in DispatchBatch.objects.filter(run_id=run.pk)}
        for message in Message.objects.filter(run=run):
            batch = batches[message.batch_id]
            assert (batch.step, batch.channel) == (message.step, message.channel)
            assert batch.account_id == message.account_id
            assert batch.first_id <= message.pk <= batch.last_id
        assert {b.step: b.queued for b in batches.values()} == {0: 8, 1: 4, 2: 4}

    def test_every_step_speaks_her_language_and_fills_its_own_names(self, ready):
        meera = CustomerFactory(first_name="मीरा", language="hi", preferred_channel="sms")
        run = frozen()
        message = Message.objects.get(run=run, customer=meera)
        assert message.language == "hi"
        assert message.variables["customer_name"] == "मीरा"
        assert message.template_version.template.channel == "sms"

    def test_a_value_missing_on_one_step_leaves_the_others(self, ready):
        asha = CustomerFactory()
        lacking = TemplateFactory(contents={"en": {"body": "Your {{ favourite_service }}"}})
        run = make_channel_run("cascade", lacking, TemplateFactory(sms=True))
        freeze_run(run=run, audience=everyone())
        assert attempts(run, asha) == [(SMS, "queued")]

    def test_one_phone_of_two_customers_is_written_to_once_a_step(self, ready):
        asha = CustomerFactory(email="")
        twin = CustomerFactory(phone=asha.phone)
        run = frozen()
        assert attempts(run, asha) == [(WHATSAPP, "queued")]
        assert attempts(run, twin) == [(EMAIL, "queued")]

    def test_the_wait_is_that_of_the_step_that_follows(self, ready):
        first, second, third = templates()
        CustomerFactory(preferred_channel="whatsapp")
        CustomerFactory(preferred_channel="email")
        run = make_channel_run("cascade", first, second, third)
        run.steps[1]["afterMinutes"], run.steps[2]["afterMinutes"] = 20, 90
        run.save()
        freeze_run(run=run, audience=everyone())
        waits = DispatchBatch.objects.filter(run_id=run.pk).values_list("step", "fallback_minutes")
        # Who prefers the last goes on with the first, which waits as long as the second would.
        assert dict(waits) == {WHATSAPP: 20, EMAIL: 20}

    def test_a_run_of_one_branch_has_its_lane(self, ready):
        CustomerFactory(home_branch=ready.north)
        run = frozen(branch_ids=[ready.north.pk])
        assert DispatchBatch.objects.get(run_id=run.pk).lane == ready.north.pk

    @pytest.mark.parametrize(
        ("mode", "cost"),
        [
            ("single", PRICES["whatsapp"]),
            ("cascade", sum(PRICES.values())),
            ("all", sum(PRICES.values())),
        ],
    )
    def test_the_dearest_path_is_promised(self, ready, mode, cost):
        CustomerFactory(home_branch=ready.north)
        run = make_channel_run(mode, *templates())
        result = freeze_run(run=run, audience=everyone())
        assert result.cost == cost
        month = BudgetMonth.objects.get(branch=ready.north)
        assert month.reserved == cost
        assert BatchCost.objects.aggregate(n=Sum("reserved"))["n"] == cost

    def test_a_step_she_cannot_take_is_not_promised(self, ready):
        CustomerFactory(home_branch=ready.north, consent={"sms_promotional": False})
        frozen(steps=2)
        assert BudgetMonth.objects.get(branch=ready.north).reserved == PRICES["whatsapp"]

    def test_a_budget_that_holds_the_first_step_only_is_refused(self, ready):
        set_branch_config(ready.north, monthly_budget_limit=Decimal("1.00"))
        CustomerFactory(home_branch=ready.north)
        with pytest.raises(BudgetExceeded):
            freeze_run(run=make_channel_run("cascade", *templates()), audience=everyone())
        assert not Message.objects.exists()

    @pytest.mark.parametrize("mode", ["single", "cascade", "all"])
    def test_the_estimate_says_what_the_freeze_does(self, ready, mode):
        CustomerFactory(preferred_channel="sms")
        CustomerFactory.create_batch(2, home_branch=ready.north, preferred_channel="whatsapp")
        CustomerFactory(email="", consent={"whatsapp_promotional": False})
        CustomerFactory(consent=False)
        run = make_channel_run(mode, *templates())
        said = estimate(
            audience=everyone(),
            purpose=run.purpose,
            mode=mode,
            steps=run.steps,
            charged_branch_id=None,
            now=timezone.now(),
        )
        done = freeze_run(run=run, audience=everyone())
        assert (said.total, said.sendable, said.reasons, said.cost) == (
            done.audience,
            done.sendable,
            done.reasons,
            done.cost,
        )
        queued = Message.objects.filter(run=run, state="queued").values_list("step", flat=True)
        assert said.steps == Counter(queued)
        assert said.first_cost == Message.objects.aggregate(n=Sum("cost"))["n"]


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


class TestCaps:
    def test_the_slot_of_an_attempt_that_may_yet_arrive_is_hers(self, ready):
        set_config(daily_message_limit_per_customer=1)
        asha = CustomerFactory()
        run = frozen()
        sent_at = timezone.now() - dt.timedelta(hours=1)
        finish(live(run, asha), ResultClass.ACCEPTED, at=sent_at)
        set_load(asha, [sent_at])
        sweep(run)
        assert attempts(run, asha) == [(WHATSAPP, "sent"), (SMS, "queued")]

    def test_a_cap_that_others_filled_since_her_failure_stops_her(self, ready):
        set_config(daily_message_limit_per_customer=1)
        asha = CustomerFactory()
        run = frozen()
        fail(live(run, asha))
        set_load(asha, [timezone.now()])
        sweep(run)
        assert attempts(run, asha) == [(WHATSAPP, "failed")]


class TestMoney:
    def books(self):
        settle_due()
        sums = BatchCost.objects.aggregate(reserved=Sum("reserved"), spent=Sum("spent"))
        month = BudgetMonth.objects.get(branch=None)
        assert (month.reserved, month.spent) == (sums["reserved"], sums["spent"])
        return month.reserved

    def test_the_promise_shrinks_as_steps_are_used_up(self, ready):
        asha = CustomerFactory(home_branch=ready.north)
        run = frozen(steps=2)
        assert self.books() == PRICES["whatsapp"] + PRICES["sms"]
        fail(live(run, asha))
        assert self.books() == PRICES["sms"]
        sweep(run)
        assert self.books() == PRICES["sms"]
        fail(live(run, asha))
        sweep(run)
        assert self.books() == 0

    def test_who_cannot_go_on_frees_what_was_promised_for_her(self, ready):
        asha = CustomerFactory()
        run = frozen()
        fail(live(run, asha))
        ConsentState.objects.filter(customer=asha).update(marketing_opted_out=True)
        sweep(run)
        assert self.books() == 0

    def test_cancelling_frees_it(self, ready):
        asha = CustomerFactory()
        run = frozen()
        fail(live(run, asha))
        cancel_run(run=run)
        assert self.books() == 0


class TestRun:
    def test_it_is_not_finished_while_somebody_may_be_tried_elsewhere(self, ready):
        asha = CustomerFactory()
        run = frozen(steps=2)
        finish(live(run, asha), ResultClass.ACCEPTED)
        DispatchBatch.objects.filter(run_id=run.pk).update(state="done")
        assert not finish_run_if_done(run_id=run.pk)
        report(live(run, asha), "delivered")
        sweep(run)
        run.refresh_from_db()
        assert run.state == SendRun.State.DONE

    def test_a_pause_holds_the_fallbacks_and_resuming_lets_them_go(self, ready):
        asha = CustomerFactory()
        run = frozen()
        fail(live(run, asha))
        pause_run(run=run, reason="manual")
        sweep(run)
        assert attempts(run, asha) == [(WHATSAPP, "failed")]
        resume_run(run=run)
        sweep(run)
        assert attempts(run, asha) == [(WHATSAPP, "failed"), (SMS, "queued")]

    def test_a_cancelled_run_makes_no_more_attempts(self, ready):
        asha = CustomerFactory()
        run = frozen()
        message = live(run, asha)
        finish(message, ResultClass.ACCEPTED)
        cancel_run(run=run)
        assert not DispatchBatch.objects.filter(fallback_at__isnull=False).exists()
        report(message, "failed", "fail_recipient")
        sweep(run)
        assert attempts(run, asha) == [(WHATSAPP, "failed")]
        assert not DispatchBatch.objects.filter(fallback_at__isnull=False).exists()

    def test_a_channel_without_an_account_pauses_the_run_and_leaves_the_others(self, ready):
        asha = CustomerFactory()
        broken = frozen()
        fail(live(broken, asha))
        other = make_channel_run("cascade", TemplateFactory(), TemplateFactory(email=True))
        freeze_run(run=other, audience=everyone())
        fail(live(other, asha))
        ProviderAccount.objects.filter(provider="msg91").update(is_active=False, is_default=False)
        sweep_fallbacks()
        broken.refresh_from_db()
        assert (broken.state, broken.pause_reason) == (SendRun.State.PAUSED, "channel_disabled")
        assert attempts(other, asha) == [(0, "failed"), (1, "queued")]


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_make_one_attempt(live_chain):
    """Fails without `fallback_id IS NULL`: the second sweep sees the same failed messages."""
    with tenant_scope(live_chain.tenant.pk):
        prepare()
        CustomerFactory.create_batch(20, home_branch=live_chain.north)
        run = frozen()
        for message in Message.objects.filter(run=run):
            fail(message)
    barrier = threading.Barrier(4)

    def work():
        try:
            barrier.wait()
            with tenant_scope(live_chain.tenant.pk):
                cascade._sweep(run.pk, timezone.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with tenant_scope(live_chain.tenant.pk):
        assert Counter(attempts(run)) == {(WHATSAPP, "failed"): 20, (SMS, "queued"): 20}
        assert_sum_law(run)


acts = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "report", "sweep", "later", "opt out", "pause"]),
        st.integers(0, 30),
        st.sampled_from(list(ResultClass)),
        st.sampled_from(["sent", "delivered", "read", "failed"]),
    ),
    min_size=5,
    max_size=40,
)


@given(mode=st.sampled_from(["cascade", "cascade", "all", "single"]), acts=acts)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_audience_is_the_sum_of_the_states_whatever_happens(ready, mode, acts):
    """And nobody has two attempts on a step, or one on a channel after another arrived in time."""
    with transaction.atomic():
        for channel in ("whatsapp", "sms", "email"):
            CustomerFactory(preferred_channel=channel, home_branch=ready.north)
        CustomerFactory(consent={"whatsapp_promotional": False}, email="")
        CustomerFactory(consent=False)
        run = frozen(mode)
        for act, number, outcome, state in acts:
            rows = list(Message.objects.filter(run=run).order_by("pk"))
            message = rows[number % len(rows)]
            if act == "send" and message.state == "queued":
                finish(message, outcome)
            elif act == "report" and message.state not in ("queued", "skipped"):
                report(message, state, "fail_recipient" if state == "failed" else "")
            elif act == "sweep":
                sweep(run)
            elif act == "later":
                Message.objects.filter(run=run).update(sent_at=F("sent_at") - 20 * MINUTE)
                due(run)
            elif act == "opt out":
                ConsentState.objects.filter(customer_id=message.customer_id).update(
                    marketing_opted_out=True
                )
            elif act == "pause":
                run.refresh_from_db()
                if run.state == SendRun.State.PAUSED:
                    resume_run(run=run)
                elif run.state == SendRun.State.FROZEN:
                    pause_run(run=run, reason="manual")
            assert_sum_law(run)
        tried = Counter(Message.objects.filter(run=run).values_list("customer_id", "step"))
        assert set(tried.values()) == {1}
        settle_due()
        sums = BatchCost.objects.aggregate(reserved=Sum("reserved"), spent=Sum("spent"))
        month = BudgetMonth.objects.filter(branch=None).first()
        assert (month.reserved, month.spent) == (sums["reserved"], sums["spent"])
        transaction.set_rollback(True)
