"""Outside her hours a person's message is held: counted so, said so, and let go by itself."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction
from django.utils import timezone

from marketing.core.models import Branch, Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch import worker
from marketing.delivery.dispatch.marking import mark
from marketing.delivery.dispatch.sending import load_sending
from marketing.delivery.models import BatchReason, DispatchBatch, Message, SendRun
from marketing.delivery.providers.base import StatusUpdate
from marketing.delivery.selectors import causes_of, run_progress
from marketing.delivery.services import cancel_run, freeze_run, runs
from marketing.delivery.webhooks import statuses
from marketing.delivery.webhooks.reports import Report
from tests.concurrency import wait_for_me
from tests.delivery.dispatch.runs import due_now, states
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours
from tests.factories.policy import set_config

AWAKE, ASLEEP = 3, 4


@pytest.fixture
def half_asleep(live_chain, vendor, settings):
    """A frozen run: it is noon for who lives north, and midnight in the south."""
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        set_config(send_window_start=dt.time(9), send_window_end=dt.time(21))
        noon = Branch.objects.get(pk=live_chain.north.pk).time_zone
        Branch.objects.filter(pk=live_chain.south.pk).update(time_zone=opposite(noon))
        make_sender(rate_per_second=1000, max_concurrency=8)
        CustomerFactory.create_batch(AWAKE, home_branch=live_chain.north)
        CustomerFactory.create_batch(ASLEEP, home_branch=live_chain.south)
        run = make_run()
        freeze_run(run=run, audience=everyone())
        run.refresh_from_db()
        return run


def opposite(zone):
    """Twelve hours away: POSIX names go from Etc/GMT-14 to Etc/GMT+12."""
    hours = int(zone.removeprefix("Etc/GMT").removeprefix("UTC") or 0)
    there = hours - 12 if hours > 0 else hours + 12
    return f"Etc/GMT{there:+d}"


def held_for(run):
    """How many are held for which reason, as it is counted."""
    with tenant_scope(run.tenant_id):
        rows = BatchReason.objects.filter(run_id=run.pk, state="held", count__gt=0)
        return dict(rows.values_list("code", "count"))


def test_the_freeze_holds_who_sleeps(half_asleep):
    assert states(half_asleep) == {"queued": AWAKE, "held": ASLEEP}
    assert held_for(half_asleep) == {"outside_window": ASLEEP}


def test_who_is_awake_gets_it_and_the_others_when_they_wake(half_asleep, vendor):
    worker.run()
    assert states(half_asleep) == {"sent": AWAKE, "held": ASLEEP}
    with tenant_scope(half_asleep.tenant_id):
        (opens,) = set(Message.objects.filter(state="held").values_list("not_before", flat=True))
        assert run_progress(half_asleep).goes_on_at == opens > timezone.now()
        half_asleep.refresh_from_db()
        assert half_asleep.state == SendRun.State.FROZEN
        open_all_hours()
    due_now(half_asleep)
    worker.run()
    assert states(half_asleep) == {"sent": AWAKE + ASLEEP}
    assert held_for(half_asleep) == {}
    with tenant_scope(half_asleep.tenant_id):
        half_asleep.refresh_from_db()
        assert half_asleep.state == SendRun.State.DONE
        assert set(Message.objects.values_list("reason", flat=True)) == {""}


def test_hours_that_were_put_off_again_hold_again(half_asleep, vendor):
    worker.run()
    due_now(half_asleep)
    worker.run()
    assert states(half_asleep) == {"sent": AWAKE, "held": ASLEEP}
    assert held_for(half_asleep) == {"outside_window": ASLEEP}


def test_a_worker_that_lost_its_lease_moves_nobody(half_asleep, vendor):
    worker.run()
    due_now(half_asleep)
    with tenant_scope(half_asleep.tenant_id):
        open_all_hours()
    lease = leases.claim()
    DispatchBatch.objects.update(token=uuid.uuid4())
    assert mark(lease, load_sending(lease), 10).lost
    assert states(half_asleep) == {"sent": AWAKE, "held": ASLEEP}


@pytest.mark.parametrize("at_once", [True, False])
def test_a_cancelled_run_skips_who_is_held(half_asleep, vendor, at_once, monkeypatch):
    worker.run()
    if not at_once:
        monkeypatch.setattr(runs, "SKIPPED_AT_ONCE", 1)
    with tenant_scope(half_asleep.tenant_id):
        assert cancel_run(run=half_asleep) == ASLEEP
    if not at_once:
        runs.skip_cancelled(tenant_id=half_asleep.tenant_id, run_id=half_asleep.pk)
    assert states(half_asleep) == {"sent": AWAKE, "skipped": ASLEEP}
    assert held_for(half_asleep) == {}
    with tenant_scope(half_asleep.tenant_id):
        assert {m.reason for m in Message.objects.filter(state="skipped")} == {"cancelled"}
        assert not DispatchBatch.objects.exclude(state=DispatchBatch.State.DONE).exists()


def test_a_word_of_the_vendor_about_who_is_held_counts(half_asleep):
    """It was tried before, put off, and fell outside its hours since."""
    with tenant_scope(half_asleep.tenant_id):
        message = Message.objects.filter(state="held").first()
        update = StatusUpdate("a key", "delivered", timezone.now(), message.pk)
        statuses.apply([Report(message.account_id, update)])
        message.refresh_from_db()
    assert (message.state, message.reason) == ("delivered", "")
    assert states(half_asleep) == {"queued": AWAKE, "held": ASLEEP - 1, "delivered": 1}
    assert held_for(half_asleep) == {"outside_window": ASLEEP - 1}


@pytest.mark.parametrize("said", ["delivered", "failed", "cancelled"])
def test_what_was_said_meanwhile_is_not_held(half_asleep, said):
    """A report or a cancel has the row; who would hold it waits, and finds it changed."""
    with tenant_scope(half_asleep.tenant_id):
        message = Message.objects.filter(state="queued").first()
        Message.objects.filter(pk=message.pk).update(tries=1, sending_at=timezone.now())
    lease = leases.claim()
    with tenant_scope(half_asleep.tenant_id):
        Branch.objects.update(time_zone=opposite(Tenant.objects.get().time_zone))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), tenant_scope(half_asleep.tenant_id):
            if said == "cancelled":
                cancel_run(run=half_asleep)
            else:
                update = StatusUpdate(
                    "a key", said, timezone.now(), message.pk, error_class="fail_recipient"
                )
                statuses.apply([Report(message.account_id, update)])
            other = wait_for_me(lambda: mark(lease, load_sending(lease), 10), pool)
        other.result()
    with tenant_scope(half_asleep.tenant_id):
        message.refresh_from_db()
    assert message.state == {"cancelled": "skipped"}.get(said, said)
    assert message.state in states(half_asleep)


def test_a_complaint_leaves_the_count_of_the_held_right(half_asleep):
    with tenant_scope(half_asleep.tenant_id):
        Message.objects.filter(state="held").update(reason="complained")
        cancel_run(run=half_asleep)
    assert held_for(half_asleep) == {}


def test_to_be_held_is_no_failure(half_asleep):
    with tenant_scope(half_asleep.tenant_id):
        assert causes_of([half_asleep.pk], ["failed", "unknown"]) == []
