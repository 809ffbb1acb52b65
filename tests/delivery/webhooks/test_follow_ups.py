"""What follows from a vendor's later word: one more try, offers ended, a run paused, the money."""

import datetime as dt

import pytest
from django.utils import timezone

from customers.models import ConsentState, Suppression
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import outcomes
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.models import ContactLoad, Message, SendRun
from marketing.delivery.rules import Result, ResultClass
from marketing.delivery.services import (
    freeze_run,
    pause_run,
    resume_run,
)
from marketing.delivery.webhooks import consumer
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
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    everyone,
    make_channel_run,
    make_sender,
    open_all_hours,
    start,
)

WITHHELD = {"code": 131049, "title": "Withheld", "error_data": {"details": "ecosystem"}}
STOPPED = {"code": 131050, "title": "User stopped marketing"}
REFUSED = {"code": 132007, "title": "Breaks the policy"}


def try_again(run, message, result=None):
    """The one more try, a day later."""
    with tenant_scope(run.tenant_id):
        Message.objects.filter(pk=message.pk).update(tries=2)
        start(Message.objects.get(pk=message.pk), timezone.now() + dt.timedelta(hours=24))
    written(run, message, result or Result(ResultClass.ACCEPTED, reference="wamid.second"), 2)


class TestWithheld:
    def test_waits_a_day_and_wakes_the_run_that_was_done(self, run, done, post):
        say(post, done, "failed", WITHHELD)
        message = messages(run)[0]
        assert (message.state, message.error_code, message.error_class) == (
            "queued", "131049", "retry_later_24h",
        )  # fmt: skip
        assert message.error_detail == "ecosystem"
        day = dt.timedelta(hours=24)
        assert message.not_before - timezone.now() <= day
        assert message.not_before - timezone.now() > day - dt.timedelta(minutes=5)
        assert counted(run) == {"queued": 1, "sent": 2}
        assert (state_of(run), run.finished_at) == (SendRun.State.FROZEN, None)
        batch = batch_of(message)
        assert (batch.state, batch.next_at) == ("waiting", message.not_before)

    def test_gives_its_cap_slot_back(self, run, done, post):
        say(post, done, "failed", WITHHELD)
        assert messages(run)[0].slot_at is None
        with tenant_scope(run.tenant_id):
            assert ContactLoad.objects.get(customer_id=done.customer_id).sent == []

    def test_the_same_word_twice_changes_nothing(self, run, done, post):
        for _ in range(2):
            say(post, done, "failed", WITHHELD)
            say(post, done, "sent")
        assert messages(run)[0].state == "queued"
        assert counted(run) == {"queued": 1, "sent": 2}

    def test_its_word_may_overtake_the_answer_of_the_call(self, run, post):
        first = messages(run)[0]
        with tenant_scope(run.tenant_id):
            start(first)
        say(post, first, "failed", WITHHELD)
        written(run, first, Result(ResultClass.ACCEPTED, reference="wamid.late"))
        assert messages(run)[0].state == "queued"
        assert counted(run) == {"queued": 1, "sent": 2}

    def test_arrived_after_all_it_is_not_tried_again(self, run, done, post):
        say(post, done, "failed", WITHHELD)
        say(post, done, "delivered")
        assert counted(run) == {"delivered": 1, "sent": 2}

    @pytest.mark.parametrize("by_callback", [True, False])
    def test_is_tried_once_more_at_most(self, run, done, post, by_callback):
        say(post, done, "failed", WITHHELD)
        if by_callback:
            try_again(run, done)
            assert counted(run) == {"sent": 3}
            say(post, done, "failed", WITHHELD, at=timezone.now() + dt.timedelta(hours=24))
        else:
            try_again(run, done, Result(ResultClass.RETRY_LATER_24H, code="131049"))
        assert messages(run)[0].state == "failed"
        assert counted(run) == {"failed": 1, "sent": 2}

    def test_an_old_word_does_not_fail_the_second_try(self, run, done, post):
        say(post, done, "failed", WITHHELD)
        try_again(run, done)
        say(post, done, "failed", WITHHELD)
        assert counted(run) == {"sent": 3}

    def test_an_answer_held_back_counts_as_the_first_time(self, run, post):
        first = messages(run)[0]
        with tenant_scope(run.tenant_id):
            start(first)
        written(run, first, Result(ResultClass.RETRY_LATER_24H, code="131049"))
        try_again(run, first)
        say(post, first, "failed", WITHHELD, at=timezone.now() + dt.timedelta(hours=24))
        assert counted(run) == {"failed": 1, "sent": 2}

    def test_of_a_cancelled_run_it_fails(self, run, done, post):
        with tenant_scope(run.tenant_id):
            SendRun.objects.filter(pk=run.pk).update(state=SendRun.State.CANCELLED)
        say(post, done, "failed", WITHHELD)
        assert counted(run) == {"failed": 1, "sent": 2}
        assert state_of(run) == SendRun.State.CANCELLED

    def test_of_a_paused_run_it_waits_for_the_run(self, run, post):
        first = messages(run)[0]
        with tenant_scope(run.tenant_id):
            SendRun.objects.filter(pk=run.pk).update(state=SendRun.State.FROZEN)
            pause_run(run=run, reason="manual")
        say(post, first, "failed", WITHHELD)
        assert batch_of(first).state == "stopped"
        with tenant_scope(run.tenant_id):
            resume_run(run=run)
        assert batch_of(first).state == "waiting"

    def test_keeps_its_price_for_the_second_try(self, run, done, post):
        say(post, done, "failed", WITHHELD)
        assert money(run) == (3 * PRICE, 0)


def test_withheld_in_a_cascade_goes_to_the_next_channel(chain):
    """Another channel reaches her now; nobody waits a day for WhatsApp."""
    open_all_hours()
    make_sender()
    make_sender("sms")
    CustomerFactory(home_branch=chain.north)
    run = make_channel_run("cascade", TemplateFactory(), TemplateFactory(sms=True))
    freeze_run(run=run, audience=everyone())
    message = Message.objects.get(run=run)
    start(message)
    withheld = Result(ResultClass.RETRY_LATER_24H, code="131049")
    outcomes.write(run.tenant_id, [Outcome(message.pk, withheld)], message.pk, message.pk)
    message.refresh_from_db()
    assert (message.state, batch_of(message).fallback_at <= timezone.now()) == ("failed", True)


class TestStoppedOffers:
    @pytest.mark.parametrize("by_callback", [True, False])
    def test_ends_offers_on_whatsapp_and_nothing_else(self, run, post, by_callback):
        first = messages(run)[0]
        if by_callback:
            say(post, first, "failed", STOPPED)
        else:
            with tenant_scope(run.tenant_id):
                start(first)
            written(
                run, first, Result(ResultClass.FAIL_OPTOUT, code="131050", suppress="opted_out")
            )
        with tenant_scope(run.tenant_id):
            consent = ConsentState.objects.get(customer_id=first.customer_id)
            assert (consent.whatsapp_promotional, consent.whatsapp_service) == (False, True)
            assert not Suppression.objects.exists()
        assert counted(run) == {"failed": 1, "sent": 2}

    def test_who_agrees_again_is_not_sent_away_by_an_old_word(self, run, post):
        first = messages(run)[0]
        say(post, first, "failed", STOPPED)
        with tenant_scope(run.tenant_id):
            ConsentState.objects.update(whatsapp_promotional=True)
        say(post, first, "failed", STOPPED)
        with tenant_scope(run.tenant_id):
            assert ConsentState.objects.get(customer_id=first.customer_id).whatsapp_promotional


class TestRefusedTexts:
    @pytest.fixture
    def many(self, live_chain, run):
        """Forty more people of a run that were sent, none reported on yet."""
        with tenant_scope(live_chain.tenant.pk):
            CustomerFactory.create_batch(40, home_branch=live_chain.north)
            made = make_channel_run("single", TemplateFactory())
            freeze_run(run=made, audience=everyone())
            rows = list(Message.objects.filter(run=made).order_by("pk"))
            for row in rows:
                start(row)
            outcomes.write(
                made.tenant_id,
                [Outcome(row.pk, Result(ResultClass.ACCEPTED)) for row in rows],
                rows[0].pk,
                rows[-1].pk,
            )
            SendRun.objects.filter(pk=made.pk).update(state=SendRun.State.FROZEN)
        return made

    def report(self, run, post, refused, delivered):
        rows = messages(run)
        at = int(timezone.now().timestamp())
        said = [status(m, "failed", at, errors=[REFUSED]) for m in rows[:refused]]
        said += [status(m, "delivered", at) for m in rows[refused : refused + delivered]]
        post(statuses(*said))
        consumer.consume_due()

    def test_pause_the_run_with_the_vendors_words(self, many, post):
        """Those only accepted say nothing yet."""
        self.report(many, post, refused=11, delivered=9)
        assert state_of(many) == SendRun.State.PAUSED
        assert (many.pause_reason, many.pause_detail) == ("content_refused", "Breaks the policy")

    @pytest.mark.parametrize(("refused", "delivered"), [(19, 0), (10, 10)])
    def test_too_few_or_only_half_do_not(self, many, post, refused, delivered):
        self.report(many, post, refused, delivered)
        assert state_of(many) == SendRun.State.FROZEN


class TestMoney:
    def test_delivered_after_a_failure_is_charged(self, run, post):
        first = messages(run)[0]
        say(post, first, "failed", {"code": 131026, "title": "no"})
        assert messages(run)[0].counted_cost == 0
        assert money(run) == (2 * PRICE, 0)
        say(post, first, "delivered")
        assert messages(run)[0].counted_cost == PRICE
        assert money(run) == (2 * PRICE, PRICE)

    def test_so_it_is_after_a_refusal_at_once(self, run, post):
        first = messages(run)[0]
        with tenant_scope(run.tenant_id):
            start(first)
        written(run, first, Result(ResultClass.FAIL_RECIPIENT, code="131026"))
        assert money(run) == (2 * PRICE, 0)
        say(post, first, "delivered")
        assert money(run) == (2 * PRICE, PRICE)

    def test_so_it_is_when_another_channel_took_over_meanwhile(self, run, post):
        first = messages(run)[0]
        say(post, first, "failed", {"code": 131026, "title": "no"})
        money(run)
        with tenant_scope(run.tenant_id):
            Message.objects.filter(pk=first.pk).update(fallback_id=first.pk)
        before = counted(run)
        say(post, first, "delivered")
        assert counted(run) == before
        assert money(run) == (2 * PRICE, PRICE)

    @pytest.mark.parametrize(
        "pricing",
        [
            {"billable": False, "pricing_model": "PMP", "category": "marketing"},
            {"pricing_model": "PMP", "type": "free_entry_point", "category": "marketing"},
            {"pricing_model": "PMP", "type": "free_customer_service", "category": "utility"},
        ],
    )
    def test_what_the_vendor_gives_for_nothing_costs_nothing(self, run, post, pricing):
        say(post, messages(run)[0], "delivered", pricing=pricing)
        assert messages(run)[0].cost == 0
        assert money(run) == (2 * PRICE, 0)

    def test_told_late_that_it_is_free_the_money_comes_back(self, run, post):
        first = messages(run)[0]
        say(post, first, "delivered")
        assert money(run) == (2 * PRICE, PRICE)
        say(post, first, "delivered", pricing={"billable": False})
        assert money(run) == (2 * PRICE, 0)

    def test_a_regular_message_costs_what_the_rate_card_says(self, run, post):
        pricing = {"billable": True, "type": "regular", "category": "marketing"}
        say(post, messages(run)[0], "delivered", pricing=pricing)
        assert money(run) == (2 * PRICE, PRICE)
