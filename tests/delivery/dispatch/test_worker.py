"""Dispatch against a vendor on loopback: each message once, each outcome kept."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import ConsentState
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import account_sender, recovery, worker
from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch.loads import make_loads
from marketing.delivery.dispatch.marking import mark
from marketing.delivery.dispatch.sending import load_sending
from marketing.delivery.gate import build_gate
from marketing.delivery.models import (
    ContactLoad,
    DispatchBatch,
    Message,
    ProviderReference,
    SendRun,
)
from marketing.delivery.services import freeze_run, resume_run
from marketing.policy.models import BudgetMonth, ProviderAccount
from marketing.policy.selectors import get_config
from tests.concurrency import at_once, wait_for_me
from tests.delivery.conftest import HangUp, accepted, refused
from tests.delivery.dispatch.runs import PEOPLE, due_now, states
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    everyone,
    make_run,
    make_sender,
    open_all_hours,
    set_load,
)
from tests.factories.policy import set_config


def test_everybody_is_sent_to_once(run, vendor):
    worker.run()
    assert states(run) == {"sent": PEOPLE}
    assert set(vendor.times_asked().values()) == {1}
    assert len(vendor.asked) == PEOPLE
    with tenant_scope(run.tenant_id):
        run.refresh_from_db()
        assert run.state == SendRun.State.DONE
        message = Message.objects.filter(run=run).first()
        assert message.provider_message_id == f"wamid.{message.pk}"
        assert message.sent_at is not None
        assert ProviderReference.objects.count() == PEOPLE
        assert [len(load.sent) for load in ContactLoad.objects.all()] == [1] * PEOPLE


def test_personal_values_and_language_go_out(run, vendor):
    worker.run()
    with tenant_scope(run.tenant_id):
        for body in vendor.asked:
            message = Message.objects.get(pk=uuid.UUID(body["biz_opaque_callback_data"]))
            (part,) = body["template"]["components"]
            assert part["parameters"][0]["text"] == message.variables["customer_name"]
            assert f"+{body['to']}" == message.address


def test_budget_is_settled_when_the_run_is_done(run):
    worker.run()
    with tenant_scope(run.tenant_id):
        month = BudgetMonth.objects.get(branch__isnull=False)
        # WhatsApp charges what was delivered: that is still to come.
        assert month.spent == 0
        assert month.reserved == sum(m.cost for m in Message.objects.filter(run=run)) > 0


def test_refused_for_now_is_tried_again_and_arrives_once(run, vendor):
    first_asked = set()

    def answer(body):
        if body["biz_opaque_callback_data"] in first_asked:
            return accepted(body)
        first_asked.add(body["biz_opaque_callback_data"])
        return refused(130429, 429)

    vendor.answer = answer
    worker.run()
    assert states(run) == {"queued": PEOPLE}
    with tenant_scope(run.tenant_id):
        assert all(m.not_before > timezone.now() for m in Message.objects.filter(run=run))
    due_now(run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}
    with tenant_scope(run.tenant_id):
        assert [len(load.sent) for load in ContactLoad.objects.all()] == [1] * PEOPLE


def test_retries_end_after_five_tries(run, vendor):
    vendor.answer = lambda body: refused(131016, 500)
    for _ in range(6):
        worker.run()
        due_now(run)
    assert states(run) == {"failed": PEOPLE}
    assert set(vendor.times_asked().values()) == {5}


def test_permanent_refusal_fails_and_gives_the_cap_back(run, vendor):
    vendor.answer = lambda body: refused(131026)
    worker.run()
    assert states(run) == {"failed": PEOPLE}
    with tenant_scope(run.tenant_id):
        message = Message.objects.filter(run=run).first()
        assert (message.error_code, message.error_class) == ("131026", "fail_recipient")
        assert message.counted_cost == 0
        assert all(load.sent == [] for load in ContactLoad.objects.all())
        assert BudgetMonth.objects.get(branch__isnull=False).spent == 0


def test_no_answer_is_unknown_and_never_sent_again(run, vendor):
    def hang_up(body):
        raise HangUp

    vendor.answer = hang_up
    worker.run()
    assert states(run) == {"unknown": PEOPLE}
    vendor.answer = accepted
    due_now(run)
    worker.run()
    recovery.sweep()
    assert set(vendor.times_asked().values()) == {1}
    with tenant_scope(run.tenant_id):
        assert [len(load.sent) for load in ContactLoad.objects.all()] == [1] * PEOPLE


def test_provider_that_cannot_be_reached_costs_nothing(run, vendor):
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(base_url="http://127.0.0.1:9")
    worker.run()
    assert states(run) == {"queued": PEOPLE}
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(base_url=vendor.url)
    due_now(run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}


def test_refused_account_pauses_the_run_and_says_why(run, vendor):
    vendor.answer = lambda body: refused(190, 401)
    worker.run()
    with tenant_scope(run.tenant_id):
        run.refresh_from_db()
    assert (run.state, run.pause_reason) == (SendRun.State.PAUSED, "account_paused")
    assert states(run) == {"queued": PEOPLE}
    asked = len(vendor.asked)
    worker.run()
    assert len(vendor.asked) == asked
    vendor.answer = accepted
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(circuit_reason="")
        resume_run(run=run)
    due_now(run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}


def test_consent_withdrawn_after_the_freeze_is_honoured(run, vendor):
    with tenant_scope(run.tenant_id):
        ConsentState.objects.update(marketing_opted_out=True)
    worker.run()
    assert states(run) == {"skipped": PEOPLE}
    assert vendor.asked == []
    with tenant_scope(run.tenant_id):
        assert {m.reason for m in Message.objects.filter(run=run)} == {"opted_out"}


def test_window_that_closes_mid_run_holds_the_rest(run, vendor):
    with tenant_scope(run.tenant_id):
        now = timezone.now().astimezone(ZoneInfo(Tenant.objects.get().time_zone))
        opens = (now + dt.timedelta(hours=3)).replace(second=0, microsecond=0)
        closes = (now + dt.timedelta(hours=6)).time().replace(second=0, microsecond=0)
        set_config(send_window_start=opens.time(), send_window_end=closes)
    worker.run()
    assert vendor.asked == []
    assert states(run) == {"held": PEOPLE}
    with tenant_scope(run.tenant_id):
        message = Message.objects.filter(run=run).first()
        assert (message.reason, message.not_before) == ("outside_window", opens)
        batch = DispatchBatch.objects.get(pk=message.batch_id)
        assert batch.next_at == opens
        open_all_hours()
    due_now(run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}


def test_two_runs_share_a_customers_cap(live_chain, vendor, settings):
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        set_config(daily_message_limit_per_customer=1)
        make_sender(rate_per_second=1000)
        CustomerFactory.create_batch(PEOPLE, home_branch=live_chain.north)
        runs = [make_run(), make_run()]
        for run in runs:
            freeze_run(run=run, audience=everyone())
    at_once(2, worker.run)
    with tenant_scope(live_chain.tenant.pk):
        messages = Message.objects.all()
        assert messages.filter(state="sent").count() == PEOPLE
        assert messages.filter(state="skipped", reason="daily_cap").count() == PEOPLE
        assert len({body["to"] for body in vendor.asked}) == len(vendor.asked) == PEOPLE


def test_a_cap_is_taken_under_a_lock(live_chain, vendor, settings):
    """One marks the last slot and has not committed: the other waits, and finds it gone."""
    settings.SANDBOX_URL = vendor.url
    now = timezone.now()
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        set_config(daily_message_limit_per_customer=2)
        make_sender("email")
        set_load(CustomerFactory(home_branch=live_chain.north), [now - dt.timedelta(hours=2)])
        runs = [make_run(TemplateFactory(channel="email")) for _ in range(2)]
        for run in runs:
            freeze_run(run=run, audience=everyone())
    first, second = leases.claim(), leases.claim()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            taken = mark(first, load_sending(first), 1)
            other = wait_for_me(lambda: mark(second, load_sending(second), 1), pool)
        assert (len(taken.messages), other.result().messages) == (1, [])
    with tenant_scope(live_chain.tenant.pk):
        found = Message.objects.values_list("state", "reason")
        assert sorted(found) == [("sending", ""), ("skipped", "daily_cap")]


def test_whose_load_is_known_is_found_by_it(chain):
    """Not by a walk through everybody's at each marking."""
    open_all_hours()
    known, fresh = CustomerFactory(), CustomerFactory()
    set_load(known, [])
    gate = build_gate(
        config=get_config(),
        channel="sms",
        purpose="promotional",
        now=timezone.now(),
        tenant_id=chain.tenant.pk,
        has_suppressions=False,
        reaches_user_ids=True,
        topic_id=None,
    )
    with CaptureQueriesContext(connection) as captured:
        made = make_loads(gate, [known.pk, fresh.pk], slot_at=None, whatsapp_at=None)
    assert made == {fresh.pk}
    (asked,) = captured.captured_queries
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked['sql']}")
        plan = [line for (line,) in cursor.fetchall()]
    assert any("Anti Join" in line for line in plan), plan


def test_nothing_starts_that_could_outlive_its_lease(run, vendor, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(account_sender, "HTTP_TIMEOUT", leases.LEASE.total_seconds() + 1)
        worker.run()
    assert vendor.asked == []
    assert states(run) == {"queued": PEOPLE}
    due_now(run)
    worker.run()
    assert states(run) == {"sent": PEOPLE}


def test_four_workers_on_one_run_send_to_everybody_once(run, vendor):
    at_once(4, worker.run)
    assert states(run) == {"sent": PEOPLE}
    assert len(vendor.asked) == PEOPLE


def test_rendering_fault_fails_the_message_alone(live_chain, vendor, settings):
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender(rate_per_second=1000)
        CustomerFactory.create_batch(2, home_branch=live_chain.north)
        run = make_run(TemplateFactory())
        freeze_run(run=run, audience=everyone())
        broken = Message.objects.filter(run=run).first()
        Message.objects.filter(pk=broken.pk).update(variables={})
    worker.run()
    assert states(run) == {"sent": 1, "failed": 1}
    with tenant_scope(run.tenant_id):
        assert Message.objects.get(pk=broken.pk).error_code == "render"
