"""What holds whatever happens: one cap, one budget, the run's end, the sum of the states."""

import datetime as dt
from collections import Counter

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import ConsentState
from marketing.delivery.models import BatchCost, DispatchBatch, Message, SendRun
from marketing.delivery.rules import ResultClass
from marketing.delivery.services import (
    cancel_run,
    finish_run_if_done,
    freeze_run,
    pause_run,
    resume_run,
    settle_due,
    sweep_fallbacks,
)
from marketing.policy.models import BudgetMonth, ProviderAccount
from tests.delivery.cascade.runs import (
    MINUTE,
    PRICES,
    SMS,
    WHATSAPP,
    assert_sum_law,
    attempts,
    due,
    fail,
    finish,
    frozen,
    live,
    report,
    sweep,
)
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    everyone,
    make_channel_run,
    set_load,
)
from tests.factories.policy import set_config


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
