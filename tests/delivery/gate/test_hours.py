"""What a message waits for: its hours, the account it leaves by, and money."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from marketing.core import clock
from marketing.delivery import selectors
from marketing.delivery.models import Message
from marketing.delivery.services import freeze_run
from marketing.policy.models import ProviderAccount
from marketing.policy.selectors import month_of
from tests.delivery.gate.moments import ALL_DAY, DAY, HELD, NIGHT, local
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender
from tests.factories.policy import budget, set_branch_config, set_config


@pytest.mark.parametrize(
    ("channel", "window", "now", "opens"),
    [
        ("whatsapp", DAY, local(8, 59, 59), local(9, 0)),
        ("whatsapp", DAY, local(9, 0), None),
        ("whatsapp", DAY, local(20, 59, 59), None),
        ("whatsapp", DAY, local(21, 0), local(9, 0) + dt.timedelta(days=1)),
        ("whatsapp", (dt.time(0), dt.time(23, 59)), local(23, 58, 59), None),
        (
            "whatsapp",
            (dt.time(0), dt.time(23, 59)),
            local(23, 59),
            local(0, 0) + dt.timedelta(days=1),
        ),
        ("whatsapp", NIGHT, local(21, 59), local(22, 0)),
        ("whatsapp", NIGHT, local(23, 59), None),
        ("whatsapp", NIGHT, local(0, 0), None),
        ("whatsapp", NIGHT, local(5, 59), None),
        ("whatsapp", NIGHT, local(6, 0), local(22, 0)),
        ("sms", ALL_DAY, local(9, 59, 59), local(10, 0)),
        ("sms", ALL_DAY, local(10, 0), None),
        ("sms", ALL_DAY, local(20, 59, 59), None),
        ("sms", ALL_DAY, local(21, 0), local(10, 0) + dt.timedelta(days=1)),
        ("sms", DAY, local(9, 30), local(10, 0)),
    ],
)
def test_outside_its_hours_a_message_waits(chain, channel, window, now, opens):
    set_config(send_window_start=window[0], send_window_end=window[1])
    make_sender(channel)
    CustomerFactory(home_branch=chain.north)
    with time_machine.travel(now, tick=False):
        run = make_run(TemplateFactory(channel=channel))
        freeze_run(run=run, audience=everyone())
        blocking = blocking_now(channel)
    message = Message.objects.get(run=run)
    assert message.not_before == opens
    assert (message.state, message.reason) == (HELD if opens else ("queued", ""))
    assert blocking == (["outside_window"] if opens else [])


def blocking_now(channel):
    """What the page says would hold the only customer's message up."""
    asked = {"customer": everyone().get(), "channel": channel, "purpose": "promotional"}
    return [verdict.code for verdict in selectors.explain(**asked) if verdict.blocks]


def test_an_account_that_is_stopped_is_told_on_the_page(asha):
    account = make_sender()
    assert blocking_now("whatsapp") == []
    ProviderAccount.objects.filter(pk=account.pk).update(circuit_reason="Token expired")
    assert blocking_now("whatsapp") == ["account_paused"]


@pytest.mark.parametrize("limited", ["chain", "her branch", "another branch"])
@pytest.mark.parametrize(("spent", "is_told"), [("9.99", False), ("10.00", True)])
def test_a_budget_of_which_nothing_is_left_is_told_on_the_page(
    chain, asha, spent, is_told, limited
):
    make_sender()
    branch = {"chain": None, "her branch": chain.north, "another branch": chain.south}[limited]
    if branch is None:
        set_config(monthly_budget_limit=Decimal(10))
    else:
        set_branch_config(branch, monthly_budget_limit=Decimal(10))
    budget(branch, month_of(clock.now()), reserved="2.00", spent=str(Decimal(spent) - 2))
    expected = ["budget"] if is_told and limited != "another branch" else []
    assert blocking_now("whatsapp") == expected


def test_transactional_messages_go_at_any_hour(chain):
    set_config(send_window_start=dt.time(9), send_window_end=dt.time(21))
    make_sender("sms")
    CustomerFactory(home_branch=chain.north)
    with time_machine.travel(local(3, 0), tick=False):
        run = make_run(TemplateFactory(sms=True), purpose="transactional")
        freeze_run(run=run, audience=everyone())
    assert Message.objects.get(run=run).not_before is None
