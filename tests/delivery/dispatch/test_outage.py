"""A vendor that is down while a few people are written to: nobody is given up on for that."""

import socket

import pytest
from django.utils import timezone

from marketing.core.events import deliver_due
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import Message, SendRun
from marketing.delivery.rules import MAX_TRIES, MAX_TRIES_OF_OUTAGE
from marketing.delivery.services import pause_run
from marketing.policy import services as policy
from marketing.policy.models import ProviderAccount
from tests.delivery.conftest import accepted
from tests.delivery.dispatch.runs import PEOPLE, due_now, states


def break_down(vendor):
    vendor.answer = lambda body: (503, {}, {})


def stop_listening(vendor):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    ProviderAccount.objects.update(base_url=f"http://127.0.0.1:{port}")


@pytest.fixture
def run(run, monkeypatch):
    """Of so few people that their failures alone tell nothing about the vendor."""
    monkeypatch.setattr(
        "marketing.delivery.dispatch.health.OUTAGE_FAILURES", PEOPLE * MAX_TRIES_OF_OUTAGE
    )
    return run


def work(run, times=1):
    for _ in range(times):
        due_now(run)
        worker.run()


def account_of(run):
    with tenant_scope(run.tenant_id):
        run.refresh_from_db()
        return ProviderAccount.objects.get(channel="whatsapp")


def try_again(run):
    """The time has come to ask the vendor again."""
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.exclude(circuit_reason="").update(circuit_retry_at=timezone.now())
        policy.close_due_circuits()
    deliver_due()


def require_waiting(run):
    account = account_of(run)
    assert (run.state, run.pause_reason) == (SendRun.State.PAUSED, "account_paused")
    assert account.circuit_reason.startswith(f"{account.name}: ")
    assert account.circuit_retry_at > timezone.now()
    assert states(run) == {"queued": PEOPLE}


@pytest.mark.parametrize("go_down", [break_down, stop_listening])
def test_nobody_is_given_up_on_because_the_vendor_is_down(run, vendor, go_down):
    with tenant_scope(run.tenant_id):
        usual = ProviderAccount.objects.get(channel="whatsapp").base_url
        go_down(vendor)
    work(run, MAX_TRIES)
    require_waiting(run)
    for _ in range(2):
        try_again(run)
        work(run)
        require_waiting(run)
    vendor.answer = accepted
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(base_url=usual)
    try_again(run)
    work(run)
    assert states(run) == {"sent": PEOPLE}
    assert not account_of(run).circuit_reason


def test_one_message_that_breaks_the_vendor_stops_nobody(run, vendor, monkeypatch):
    monkeypatch.setattr("marketing.delivery.dispatch.health.TRIES_SECONDS", 3600.0)
    with tenant_scope(run.tenant_id):
        odd = str(Message.objects.filter(run=run).values_list("pk", flat=True)[0])
    vendor.answer = lambda body: (
        (503, {}, {}) if body["biz_opaque_callback_data"] == odd else accepted(body)
    )
    work(run, MAX_TRIES)
    assert states(run) == {"sent": PEOPLE - 1, "failed": 1}
    assert vendor.times_asked()[odd] == MAX_TRIES
    assert not account_of(run).circuit_reason
    assert run.state == SendRun.State.DONE


def test_after_hours_of_it_people_are_given_up_on(run, vendor):
    break_down(vendor)
    with tenant_scope(run.tenant_id):
        Message.objects.filter(run=run).update(tries=MAX_TRIES_OF_OUTAGE - 1)
    work(run)
    assert states(run) == {"failed": PEOPLE}


def test_a_run_that_was_paused_while_its_account_was_mended_goes_on(run, vendor):
    """The news of the mending found nothing that waits."""
    with tenant_scope(run.tenant_id):
        pause_run(run=run, reason="account_paused", detail="It was down a moment ago.")
    deliver_due()
    work(run)
    assert states(run) == {"sent": PEOPLE}


def test_a_run_whose_account_is_switched_off_waits(run, vendor):
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(is_active=False)
    work(run)
    deliver_due()
    account_of(run)
    assert (run.state, run.pause_detail) == ("paused", "The provider account is switched off.")
