"""What changed between the freeze and the sending counts."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from customers.models import ConsentState, Suppression
from customers.services import suppress_address
from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch.marking import mark
from marketing.delivery.dispatch.sending import load_sending
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.services import freeze_run
from marketing.policy.models import HoldoutMember
from tests.delivery.gate.moments import HELD, INDIA, INSTANT, NIGHT, local
from tests.factories.content import TemplateFactory
from tests.factories.delivery import everyone, make_run, make_sender, set_load
from tests.factories.policy import set_config


def marked(run):
    """(state, reason) of the run's messages after a worker has marked what may go."""
    DispatchBatch.objects.update(next_at=timezone.now() - dt.timedelta(days=1))
    lease = leases.claim(SendRun.objects.exclude(pk=run.pk).values_list("pk", flat=True))
    mark(lease, load_sending(lease), 10)
    return sorted(Message.objects.filter(run=run).values_list("state", "reason"))


def frozen(channel="sms", **values):
    make_sender(channel)
    run = make_run(TemplateFactory(channel=channel), **values)
    freeze_run(run=run, audience=everyone())
    return run


@pytest.fixture
def midday():
    """SMS may go in India."""
    with time_machine.travel(timezone.now().astimezone(INDIA).replace(hour=12), tick=False):
        yield


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sms_promotional": False}, "no_consent"),
        ({"marketing_opted_out": True}, "opted_out"),
        ({"is_dnd": True}, "dnd"),
        ({"whatsapp_promotional": False}, ""),
    ],
)
def test_consent_withdrawn_since_the_freeze(asha, midday, change, reason):
    run = frozen()
    ConsentState.objects.filter(customer=asha).update(**change)
    assert marked(run) == [("skipped" if reason else "sending", reason)]


def test_an_address_suppressed_since_the_freeze(asha, midday):
    run = frozen()
    suppress_address(channel="sms", address=asha.phone, reason=Suppression.Reason.INVALID)
    assert marked(run) == [("skipped", "suppressed")]


@pytest.mark.parametrize(
    ("switch", "reason"),
    [("marketing_enabled", "marketing_disabled"), ("sms_enabled", "channel_disabled")],
)
def test_a_switch_turned_off_since_the_freeze(asha, midday, switch, reason):
    run = frozen(purpose="transactional")
    set_config(**{switch: False})
    assert marked(run) == [("skipped", reason)]


def test_kept_out_since_the_freeze(asha, midday):
    run = frozen()
    HoldoutMember.objects.create(customer=asha)
    assert marked(run) == [("skipped", "holdout")]


@pytest.mark.parametrize(
    ("window", "age", "reason"),
    [
        ("daily", dt.timedelta(days=1), ""),
        ("daily", dt.timedelta(days=1) - INSTANT, "daily_cap"),
        ("weekly", dt.timedelta(days=7), ""),
        ("weekly", dt.timedelta(days=7) - INSTANT, "weekly_cap"),
    ],
)
def test_a_slot_taken_since_the_freeze(asha, midday, window, age, reason):
    limits = {"daily_message_limit_per_customer": 5, "weekly_message_limit_per_customer": 5}
    set_config(**limits | {f"{window}_message_limit_per_customer": 1})
    run = frozen()
    set_load(asha, [timezone.now() - age])
    assert marked(run) == [("skipped" if reason else "sending", reason)]


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (local(21, 59, 59), local(22, 0)),
        (local(23, 59, 59), None),
        (local(0, 0) + dt.timedelta(days=1), None),
        (local(6, 0) + dt.timedelta(days=1), local(22, 0) + dt.timedelta(days=1)),
    ],
)
def test_a_window_across_midnight_that_closes_meanwhile(asha, now, opens):
    set_config(send_window_start=NIGHT[0], send_window_end=NIGHT[1])
    with time_machine.travel(local(23, 0), tick=False):
        run = frozen("whatsapp")
    with time_machine.travel(now, tick=False):
        found = marked(run)
    assert found == [HELD if opens else ("sending", "")]
    assert Message.objects.get(run=run).not_before == opens


def test_dnd_spares_a_transactional_message(asha, midday):
    run = frozen(purpose="transactional")
    ConsentState.objects.filter(customer=asha).update(is_dnd=True, marketing_opted_out=True)
    assert marked(run) == [("sending", "")]


def test_a_cap_holds_across_channels_and_branches(asha, chain, midday):
    set_config(daily_message_limit_per_customer=1)
    first = frozen("whatsapp", charged_branch_id=chain.north.pk)
    second = frozen("sms", charged_branch_id=chain.south.pk)
    assert marked(first) == [("sending", "")]
    assert marked(second) == [("skipped", "daily_cap")]
    third = frozen("email", charged_branch_id=chain.west.pk)
    assert [m.reason for m in Message.objects.filter(run=third)] == ["daily_cap"]
