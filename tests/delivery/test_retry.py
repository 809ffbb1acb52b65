"""Failed messages sent again: each once, whoever asks; what is given up stays so."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from customers.models import ConsentState
from marketing.core.errors import BudgetExceeded, Conflict, Forbidden
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import BatchReason, Message, SendRun
from marketing.delivery.selectors import causes_of
from marketing.delivery.services import (
    discard_failed,
    freeze,
    freeze_run,
    retry_failed,
    settle_due,
)
from marketing.policy.models import BudgetMonth
from tests.concurrency import at_once
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    become,
    everyone,
    finish,
    make_run,
    make_sender,
    open_all_hours,
    states_of,
)

PRICE = Decimal("0.8631")


def failed_run(chain, *, people=6, failing=4, code="131053", error_class="fail_content"):
    """A finished run of which some failed, the rest arrived."""
    open_all_hours()
    make_sender()
    CustomerFactory.create_batch(people, home_branch=chain.north)
    run = make_run(branch_ids=[chain.north.pk])
    freeze_run(run=run, audience=everyone())
    rows = list(Message.objects.filter(run=run).order_by("pk"))
    for message in rows[:failing]:
        become(message, "failed", code, error_class)
    for message in rows[failing:]:
        become(message, "delivered")
    finish(run)
    settle_due()
    return run


def rows_of(run, **which):
    return list(Message.objects.filter(run=run, **which).order_by("pk"))


@pytest.fixture
def run(chain, monkeypatch):
    monkeypatch.setattr(freeze, "BATCH_SIZE", 3)
    return failed_run(chain)


def test_only_the_failed_ones_go_again(run, manager):
    retry = retry_failed(actor=manager, run=run)
    assert (retry.state, retry.retry_of, retry.audience) == (SendRun.State.FROZEN, run.pk, 4)
    assert retry.steps == run.steps
    failed = rows_of(run, state="failed")
    again = {message.customer_id: message.pk for message in rows_of(retry)}
    assert {message.customer_id: message.fallback_id for message in failed} == again
    assert states_of(run) == {"failed": 4, "delivered": 2}
    assert states_of(retry) == {"queued": 4}
    assert AuditEntry.objects.get(action="send_run.retry_failed").changes["messages"] == 4


def test_the_money_is_reserved_anew(run, manager):
    retry_failed(actor=manager, run=run)
    month = BudgetMonth.objects.get(branch=None)
    assert (month.reserved, month.spent) == (4 * PRICE, 2 * PRICE)


def test_no_money_no_run_and_nothing_claimed(run, manager):
    open_all_hours(monthly_budget_limit=2)
    with pytest.raises(BudgetExceeded):
        retry_failed(actor=manager, run=run)
    assert SendRun.objects.count() == 1
    assert not Message.objects.filter(fallback_id__isnull=False).exists()
    assert not BatchReason.objects.filter(closed__gt=0).exists()


def test_who_may_no_longer_be_written_to_is_named(run, manager):
    leaving = rows_of(run, state="failed")[0].customer_id
    ConsentState.objects.filter(customer_id=leaving).update(marketing_opted_out=True)
    retry = retry_failed(actor=manager, run=run)
    assert states_of(retry) == {"queued": 3, "skipped": 1}
    assert Message.objects.get(run=retry, customer_id=leaving).reason == "opted_out"


def test_a_second_time_nothing_is_left(run, manager):
    retry_failed(actor=manager, run=run)
    with pytest.raises(Conflict):
        retry_failed(actor=manager, run=run)
    assert SendRun.objects.count() == 2
    (cause,) = causes_of([run.pk], ["failed"])
    assert (cause.messages, cause.open) == (4, 0)


def test_what_failed_again_can_be_sent_a_third_time(run, manager):
    retry = retry_failed(actor=manager, run=run)
    for message in rows_of(retry):
        become(message, "failed", "131053", "fail_content")
    finish(retry)
    assert retry_failed(actor=manager, run=retry).audience == 4


@pytest.mark.parametrize("error_class", ["fail_recipient", "fail_optout"])
def test_who_cannot_be_reached_or_stopped_it_is_not_asked_again(chain, manager, error_class):
    run = failed_run(chain, error_class=error_class)
    with pytest.raises(Conflict):
        retry_failed(actor=manager, run=run)
    (cause,) = causes_of([run.pk], ["failed"])
    assert not cause.may_be_retried


@pytest.mark.parametrize(("hours", "again"), [(23.9, False), (24.1, True)])
def test_who_had_enough_marketing_is_left_alone_for_a_day(chain, manager, hours, again):
    run = failed_run(chain, error_class="retry_later_24h")
    Message.objects.filter(run=run, state="failed").update(
        failed_at=timezone.now() - dt.timedelta(hours=hours)
    )
    if again:
        assert retry_failed(actor=manager, run=run).audience == 4
    else:
        with pytest.raises(Conflict):
            retry_failed(actor=manager, run=run)


def test_one_cause_alone(run, manager):
    odd = rows_of(run, state="failed")[0]
    become(odd, "failed", "131000", "retry")
    retry = retry_failed(actor=manager, run=run, codes=["131000"])
    assert [message.customer_id for message in rows_of(retry)] == [odd.customer_id]
    assert retry_failed(actor=manager, run=run).audience == 3


def test_of_all_channels_only_the_failed_one_goes_again(run, manager):
    SendRun.objects.filter(pk=run.pk).update(
        mode=SendRun.Mode.ALL, steps=[*run.steps, {**run.steps[0], "afterMinutes": 7}]
    )
    Message.objects.filter(run=run).update(step=1)
    retry = retry_failed(actor=manager, run=run)
    assert (retry.mode, len(retry.steps)) == (SendRun.Mode.SINGLE, 1)
    assert retry.steps[0]["afterMinutes"] == 7


def test_a_run_that_is_still_sent_is_refused(chain, manager, run):
    SendRun.objects.filter(pk=run.pk).update(state=SendRun.State.FROZEN)
    with pytest.raises(Conflict):
        retry_failed(actor=manager, run=run)
    assert SendRun.objects.count() == 1


def test_receptionists_may_not(chain, run):
    receptionist = chain.actor(chain.receptionist)
    with pytest.raises(Forbidden):
        retry_failed(actor=receptionist, run=run)
    with pytest.raises(Forbidden):
        discard_failed(actor=receptionist, run=run, code="131053")
    assert SendRun.objects.count() == 1
    assert not Message.objects.filter(discarded_at__isnull=False).exists()


class TestGivingUp:
    def test_is_not_offered_again(self, run, manager):
        assert discard_failed(actor=manager, run=run, code="131053") == 4
        (cause,) = causes_of([run.pk], ["failed"])
        assert (cause.messages, cause.open) == (4, 0)
        with pytest.raises(Conflict):
            retry_failed(actor=manager, run=run)
        with pytest.raises(Conflict):
            discard_failed(actor=manager, run=run, code="131053")
        entry = AuditEntry.objects.get(action="send_run.discard_failed")
        assert entry.changes == {"code": "131053", "messages": 4}

    def test_changes_no_figures(self, run, manager):
        discard_failed(actor=manager, run=run, code="131053")
        assert states_of(run) == {"failed": 4, "delivered": 2}

    def test_who_cannot_be_reached_may_be_given_up_too(self, chain, manager):
        run = failed_run(chain, code="131026", error_class="fail_recipient")
        assert discard_failed(actor=manager, run=run, code="131026") == 4


@pytest.mark.django_db(transaction=True)
def test_two_managers_at_once_make_one_run(live_chain):
    with tenant_scope(live_chain.tenant.pk):
        run = failed_run(live_chain)
        actor = live_chain.actor(live_chain.manager)

    def ask():
        with tenant_scope(live_chain.tenant.pk):
            return retry_failed(actor=actor, run=run)

    outcomes = at_once(4, ask, Conflict)
    with tenant_scope(live_chain.tenant.pk):
        assert sum(isinstance(each, Conflict) for each in outcomes) == 3
        assert SendRun.objects.exclude(pk=run.pk).count() == 1
        assert Message.objects.exclude(run=run).count() == 4
