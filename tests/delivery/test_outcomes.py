"""What vendors answer takes effect: tried again a day later, run paused, address left alone."""

import datetime as dt

import pytest
from django.utils import timezone

from customers.models import Suppression
from customers.services import suppress_address
from marketing.content.models import TemplateVersion
from marketing.content.services import apply_whatsapp_status
from marketing.core import events
from marketing.delivery.dispatch import outcomes
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.rules import Result, ResultClass
from marketing.delivery.selectors import explain
from marketing.delivery.services import freeze_run
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    everyone,
    make_run,
    make_sender,
    open_all_hours,
    states_of,
)

TOO_MUCH = Result(ResultClass.RETRY_LATER_24H, code="131049", detail="healthy ecosystem")
REFUSED = Result(ResultClass.FAIL_CONTENT, code="132007", detail="Breaks the policy")
ACCEPTED = Result(ResultClass.ACCEPTED)


def frozen(chain, people, template=None):
    open_all_hours()
    make_sender()
    make_sender("sms")
    CustomerFactory.create_batch(people, home_branch=chain.north)
    run = make_run(template)
    freeze_run(run=run, audience=everyone())
    run.refresh_from_db()
    return run


def answer(run, results, tries=1):
    """Mark as many queued messages as being sent, and write what the vendor said of each."""
    rows = list(Message.objects.filter(run=run, state="queued").order_by("pk")[: len(results)])
    ids = [row.pk for row in rows]
    Message.objects.filter(pk__in=ids).update(
        state="sending", sending_at=timezone.now(), slot_at=None
    )
    for row in rows:
        DispatchBatch.objects.filter(pk=row.batch_id).update(
            queued=states_of(run)["queued"] - 1, sending=states_of(run).get("sending", 0) + 1
        )
    outcomes.write(
        run.tenant_id,
        [Outcome(pk, result, tries) for pk, result in zip(ids, results, strict=True)],
        ids[0],
        ids[-1],
    )
    run.refresh_from_db()
    return ids


class TestHeldBackForADay:
    def test_tried_once_more_after_24_hours(self, chain):
        run = frozen(chain, 1)
        (pk,) = answer(run, [TOO_MUCH])
        message = Message.objects.get(pk=pk)
        assert (message.state, message.error_class) == ("queued", "retry_later_24h")
        assert message.not_before >= timezone.now() + dt.timedelta(hours=23, minutes=59)
        assert message.not_before <= timezone.now() + dt.timedelta(hours=24)
        answer(run, [TOO_MUCH], tries=2)
        message.refresh_from_db()
        assert (message.state, message.error_code) == ("failed", "131049")
        assert states_of(run) == {"failed": 1}

    def test_the_second_try_may_succeed(self, chain):
        run = frozen(chain, 1)
        answer(run, [TOO_MUCH])
        answer(run, [ACCEPTED], tries=2)
        assert states_of(run) == {"sent": 1}

    def test_others_of_the_same_answer_are_not_mixed_up(self, chain):
        run = frozen(chain, 3)
        answer(run, [TOO_MUCH, ACCEPTED, TOO_MUCH])
        assert states_of(run) == {"queued": 2, "sent": 1}


class TestContentRefused:
    def test_pauses_the_run_with_the_vendors_words(self, chain):
        run = frozen(chain, 30)
        answer(run, [REFUSED] * 11 + [ACCEPTED] * 9)
        assert (run.state, run.pause_reason) == (SendRun.State.PAUSED, "content_refused")
        assert run.pause_detail == "Breaks the policy"

    def test_half_is_not_more_than_half(self, chain):
        run = frozen(chain, 30)
        answer(run, [REFUSED] * 10 + [ACCEPTED] * 10)
        assert run.state == SendRun.State.FROZEN

    def test_nineteen_answers_are_too_few(self, chain):
        run = frozen(chain, 30)
        answer(run, [REFUSED] * 19)
        assert run.state == SendRun.State.FROZEN
        answer(run, [REFUSED])
        assert run.state == SendRun.State.PAUSED

    def test_only_the_latest_answers_count(self, chain):
        run = frozen(chain, 90)
        answer(run, [ACCEPTED] * 60)
        answer(run, [REFUSED] * 21)
        assert run.state == SendRun.State.PAUSED

    def test_of_few_people_three_refusals_of_one_cause_are_enough(self, chain):
        run = frozen(chain, 5)
        answer(run, [REFUSED] * 2)
        assert run.state == SendRun.State.FROZEN
        answer(run, [REFUSED])
        assert (run.state, run.pause_reason) == (SendRun.State.PAUSED, "content_refused")
        assert run.pause_detail == "Breaks the policy"
        assert states_of(run) == {"queued": 2, "failed": 3}

    @pytest.mark.parametrize(
        ("people", "results"),
        [
            (5, [ACCEPTED, REFUSED, REFUSED, REFUSED]),
            (5, [REFUSED, REFUSED, Result(ResultClass.FAIL_CONTENT, code="132000")]),
            (5, [REFUSED, REFUSED, Result(ResultClass.FAIL_RECIPIENT, code="131026")]),
            # Nothing is left that could be spared.
            (3, [REFUSED] * 3),
            (20, [REFUSED] * 3),
        ],
    )
    def test_otherwise_it_goes_on(self, chain, people, results):
        run = frozen(chain, people)
        answer(run, results)
        assert run.state == SendRun.State.FROZEN


@pytest.mark.parametrize("status", ["paused", "disabled", "rejected"])
def test_a_template_that_whatsapp_stops_pauses_its_runs(chain, status):
    run = frozen(chain, 2)
    make_other = make_run(TemplateFactory())
    freeze_run(run=make_other, audience=everyone())
    version = TemplateVersion.objects.get(pk=run.steps[0]["versionId"])
    for language in version.contents:
        apply_whatsapp_status(
            name=version.whatsapp_template_name, language=language, status=status, reason="QUALITY"
        )
    events.deliver_due()
    events.deliver_due()
    run.refresh_from_db()
    make_other.refresh_from_db()
    assert (run.state, run.pause_reason) == (SendRun.State.PAUSED, "template_stopped")
    assert run.pause_detail == f"{version.template.name}: QUALITY"
    assert make_other.state == SendRun.State.FROZEN


class TestSuppression:
    @pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "invalid"])
    def test_an_address_to_leave_alone_is_suppressed(self, chain, reason):
        run = frozen(chain, 1)
        answer(run, [Result(ResultClass.FAIL_RECIPIENT, code="x", suppress=reason)])
        assert Suppression.objects.get().reason == reason
        assert Suppression.objects.get().until is None

    def test_stop_at_the_vendor_is_an_opt_out(self, chain):
        run = frozen(chain, 1, TemplateFactory(sms=True))
        answer(run, [Result(ResultClass.FAIL_OPTOUT, code="21610")])
        assert Suppression.objects.get().reason == "opted_out"

    def test_who_is_not_reachable_is_left_alone_for_30_days(self, chain, time_machine):
        start = timezone.now()
        time_machine.move_to(start, tick=False)
        run = frozen(chain, 1)
        answer(run, [Result(ResultClass.FAIL_RECIPIENT, suppress="unreachable")])
        customer = everyone().get()

        def is_suppressed():
            verdicts = explain(customer=customer, channel="whatsapp", purpose="promotional")
            return {v.code: v.blocks for v in verdicts}["suppressed"]

        time_machine.move_to(start + dt.timedelta(days=30, seconds=-1), tick=False)
        assert is_suppressed()
        time_machine.move_to(start + dt.timedelta(days=30), tick=False)
        assert not is_suppressed()

    def test_a_passing_reason_never_hides_a_lasting_one(self, chain):
        address = {"channel": "whatsapp", "address": "+919820012345"}
        suppress_address(**address, reason="opted_out")
        suppress_address(**address, reason="unreachable")
        assert (Suppression.objects.get().reason, Suppression.objects.get().until) == (
            "opted_out",
            None,
        )
        Suppression.objects.all().delete()
        suppress_address(**address, reason="unreachable")
        suppress_address(**address, reason="hard_bounce")
        assert (Suppression.objects.get().reason, Suppression.objects.get().until) == (
            "hard_bounce",
            None,
        )
