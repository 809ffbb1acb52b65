"""What messages cost: booked once, by what became of them, whoever settles when."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import BatchCost, DispatchBatch, Message, SendRun
from marketing.delivery.services import (
    cancel_run,
    expect_no_more,
    finish_run_if_done,
    freeze,
    freeze_run,
    settle_due,
    settlement,
)
from marketing.policy.models import BudgetMonth
from tests.concurrency import at_once, wait_for_me
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import become, everyone, make_run, make_sender, open_all_hours

PRICE = Decimal("0.8631")
SMS_PRICE = Decimal("0.2500")


@pytest.fixture
def ready(chain):
    open_all_hours()
    make_sender()
    make_sender("sms")
    return chain


def frozen_run(chain, people=3, template=None):
    CustomerFactory.create_batch(people, home_branch=chain.north)
    CustomerFactory(home_branch=chain.south)
    run = make_run(template)
    freeze_run(run=run, audience=everyone())
    run.refresh_from_db()
    return run


def money(branch=None):
    row = BudgetMonth.objects.filter(branch=branch).first()
    return (row.reserved, row.spent) if row else (0, 0)


def held():
    """(reserved, spent) over all batches: what the books must say."""
    sums = BatchCost.objects.aggregate(reserved=Sum("reserved"), spent=Sum("spent"))
    return sums["reserved"] or 0, sums["spent"] or 0


def messages_of(run):
    return list(Message.objects.filter(run=run).order_by("pk"))


def test_the_freeze_writes_what_settling_would(ready):
    run = frozen_run(ready)
    assert not DispatchBatch.objects.filter(run_id=run.pk, is_settled=False).exists()
    before = set(BatchCost.objects.values_list("batch_id", "branch_id", "reserved", "spent"))
    settlement.settle_batches(list(DispatchBatch.objects.values_list("pk", flat=True)))
    assert before == set(
        BatchCost.objects.values_list("batch_id", "branch_id", "reserved", "spent")
    )
    assert money() == held() == (4 * PRICE, 0)
    assert money(ready.north) == (3 * PRICE, 0)


@pytest.mark.parametrize(
    ("state", "reserved", "spent"),
    [
        ("sending", PRICE, 0),
        ("held", PRICE, 0),
        ("sent", PRICE, 0),
        ("unknown", PRICE, 0),
        ("delivered", 0, PRICE),
        ("read", 0, PRICE),
        ("failed", 0, 0),
        ("skipped", 0, 0),
    ],
)
def test_a_vendor_that_charges_on_delivery(ready, state, reserved, spent):
    run = frozen_run(ready)
    become(messages_of(run)[0], state)
    settle_due()
    assert money() == held() == (3 * PRICE + reserved, spent)


@pytest.mark.parametrize(
    ("state", "reserved", "spent"),
    [
        ("sending", SMS_PRICE, 0),
        ("sent", 0, SMS_PRICE),
        ("unknown", 0, SMS_PRICE),
        ("delivered", 0, SMS_PRICE),
        ("failed", 0, 0),
    ],
)
def test_a_vendor_that_charges_what_it_takes(ready, state, reserved, spent):
    run = frozen_run(ready, template=TemplateFactory(sms=True))
    become(messages_of(run)[0], state)
    settle_due()
    assert money() == held() == (3 * SMS_PRICE + reserved, spent)


def test_a_late_failure_gives_the_money_back(ready):
    run = frozen_run(ready, template=TemplateFactory(sms=True))
    become(messages_of(run)[0], "sent")
    settle_due()
    become(messages_of(run)[0], "failed")
    settle_due()
    assert money() == held() == (3 * SMS_PRICE, 0)


def test_a_reading_changes_no_money_and_settles_nothing_anew(ready):
    run = frozen_run(ready)
    message = messages_of(run)[0]
    become(message, "delivered")
    settle_due()
    become(message, "read")
    assert not DispatchBatch.objects.filter(is_settled=False).exists()
    assert money() == held() == (3 * PRICE, PRICE)


def test_cancelling_settles_at_once(ready):
    run = frozen_run(ready)
    become(messages_of(run)[0], "delivered")
    cancel_run(run=run)
    assert money() == held() == (0, PRICE)


def test_finishing_settles_at_once(ready):
    run = frozen_run(ready, template=TemplateFactory(sms=True))
    for message in messages_of(run):
        become(message, "sent")
    DispatchBatch.objects.filter(run_id=run.pk).update(state="done")
    assert finish_run_if_done(run_id=run.pk)
    assert money() == held() == (0, 4 * SMS_PRICE)


def test_deliveries_are_expected_for_72_hours_after_the_end(ready):
    run = frozen_run(ready)
    for message in messages_of(run):
        become(message, "sent")
    SendRun.objects.filter(pk=run.pk).update(
        state=SendRun.State.DONE, finished_at=timezone.now() - dt.timedelta(hours=71, minutes=59)
    )
    expect_no_more()
    settle_due()
    assert money() == held() == (4 * PRICE, 0)
    SendRun.objects.filter(pk=run.pk).update(
        finished_at=timezone.now() - dt.timedelta(hours=72, minutes=1)
    )
    expect_no_more()
    settle_due()
    assert money() == held() == (0, 0)
    become(messages_of(run)[0], "delivered")
    settle_due()
    assert money() == held() == (0, PRICE)


def test_more_parts_than_promised_are_paid_beyond_the_limit(ready):
    run = frozen_run(ready, template=TemplateFactory(sms=True))
    message = messages_of(run)[0]
    Message.objects.filter(pk=message.pk).update(cost=100 * SMS_PRICE)
    open_all_hours(monthly_budget_limit=1)
    become(message, "sent")
    settle_due()
    assert money() == held() == (3 * SMS_PRICE, 100 * SMS_PRICE)


def test_a_run_is_charged_to_the_month_it_was_frozen_in(ready):
    run = frozen_run(ready)
    june = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
    SendRun.objects.filter(pk=run.pk).update(frozen_at=june)
    BudgetMonth.objects.update(month=dt.date(2026, 6, 1))
    for message in messages_of(run):
        become(message, "delivered")
    settle_due()
    assert set(BudgetMonth.objects.values_list("month", flat=True)) == {dt.date(2026, 6, 1)}
    assert money() == (0, 4 * PRICE)


class TestFallbacks:
    """What the steps after a message may cost is held while they can still follow."""

    @pytest.fixture
    def message(self, ready):
        run = frozen_run(ready, people=0)
        (message,) = messages_of(run)
        Message.objects.filter(pk=message.pk).update(fallback_cost=SMS_PRICE)
        return message

    @pytest.mark.parametrize(
        ("state", "reserved"),
        [("sent", PRICE + SMS_PRICE), ("failed", SMS_PRICE), ("delivered", 0), ("skipped", 0)],
    )
    def test_held_until_the_message_arrives(self, message, state, reserved):
        become(message, state)
        settle_due()
        assert money()[0] == held()[0] == reserved

    def test_given_back_when_the_next_step_took_over(self, message):
        become(message, "failed")
        Message.objects.filter(pk=message.pk).update(fallback_id=message.pk)
        settle_due()
        assert money() == held() == (0, 0)

    def test_given_back_when_the_run_is_over(self, message):
        SendRun.objects.update(mode=SendRun.Mode.CASCADE)
        become(message, "sent")
        settle_due()
        DispatchBatch.objects.update(state="done")
        assert finish_run_if_done(run_id=message.run_id)
        assert money() == held() == (PRICE, 0)


acts = st.lists(
    st.tuples(
        st.sampled_from(["freeze", "become", "become", "become", "settle", "cancel", "finish"]),
        st.integers(0, 50),
        st.sampled_from(
            ["queued", "sending", "sent", "delivered", "read", "failed", "held", "unknown"]
        ),
    ),
    min_size=4,
    max_size=25,
)


@given(acts=acts)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happens_the_books_agree_and_are_never_negative(ready, acts):
    """After any sequence, settling makes the month what the batches hold, branch by branch."""
    with transaction.atomic():
        template = TemplateFactory(sms=True)
        runs = [frozen_run(ready, people=2)]
        for act, number, state in acts:
            run = runs[number % len(runs)]
            if act == "freeze" and len(runs) < 3:
                runs.append(make_run(template if number % 2 else None))
                freeze_run(run=runs[-1], audience=everyone())
            elif act == "become":
                rows = messages_of(run)
                become(rows[number % len(rows)], state)
            elif act == "settle":
                settle_due()
            elif act == "cancel" and SendRun.objects.get(pk=run.pk).state == "frozen":
                cancel_run(run=run)
            elif act == "finish":
                finish_run_if_done(run_id=run.pk)
            assert money() == held()
        settle_due()
        assert not DispatchBatch.objects.filter(is_settled=False).exists()
        assert money() == held()
        for branch in (ready.north, ready.south):
            of_branch = BatchCost.objects.filter(branch_id=branch.pk)
            assert money(branch) == tuple(
                of_branch.aggregate(r=Sum("reserved"), s=Sum("spent")).values()
            )
        paid = Message.objects.filter(state__in=["delivered", "read"]) | Message.objects.filter(
            channel="sms", state__in=["sent", "unknown"]
        )
        assert held()[1] == (paid.aggregate(n=Sum("cost"))["n"] or 0)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_a_settler_overtaken_by_an_outcome_does_not_bury_it(live_chain, monkeypatch):
    """Without the lock it would call the batch settled that has changed since it looked."""
    monkeypatch.setattr(freeze, "BATCH_SIZE", 10)
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender()
        run = frozen_run(live_chain)
        (first, *_) = messages_of(run)
        batch_ids = [first.batch_id]
        DispatchBatch.objects.update(is_settled=False)
    outcomes = []

    def outcome():
        with tenant_scope(live_chain.tenant.pk):
            become(Message.objects.get(pk=first.pk), "delivered")

    def stop_before_the_end(execute, sql, params, many, context):
        """Settles, but lets an outcome come before it calls the batch settled."""
        result = execute(sql, params, many, context)
        if sql.strip().startswith("INSERT INTO delivery_batchcost"):
            outcomes.append(wait_for_me(outcome, pool))
        return result

    with ThreadPoolExecutor(1) as pool:
        with (
            tenant_scope(live_chain.tenant.pk),
            connection.execute_wrapper(stop_before_the_end),
        ):
            settlement.settle_batches(batch_ids)
        (came,) = outcomes
        came.result()
    with tenant_scope(live_chain.tenant.pk):
        settle_due()
        assert money() == held() == (3 * PRICE, PRICE)


@pytest.mark.django_db(transaction=True)
def test_eight_settlers_at_once_book_once(live_chain):
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender()
        run = frozen_run(live_chain)
        for message in messages_of(run):
            become(message, "delivered")

    at_once(8, settle_due)
    with tenant_scope(live_chain.tenant.pk):
        assert money() == held() == (0, 4 * PRICE)
