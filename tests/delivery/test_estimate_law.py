"""What is estimated is promised, and never less than what is booked for the same people."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from marketing.core import clock
from marketing.delivery import estimate as estimating
from marketing.delivery.models import BatchCost, DispatchBatch, Message, SendRun
from marketing.delivery.plan import plan_channels
from marketing.delivery.services import freeze_run, settle_due
from marketing.policy.models import BudgetMonth, RateCard
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import become, everyone, make_channel_run, make_sender, open_all_hours
from tests.factories.policy import set_config

PRICES = st.decimals("0.0001", "9.9999", places=4)
ENDS = st.sampled_from(["queued", "sent", "delivered", "read", "failed", "unknown", "skipped"])
# One letter past what fits one part makes two, in GSM's alphabet and in Unicode.
LENGTHS = st.tuples(st.integers(1, 200), st.integers(1, 90))


@pytest.fixture
def ground(chain):
    open_all_hours()
    for channel in ("whatsapp", "sms", "email"):
        make_sender(channel)
    for number, language in enumerate(("en", "hi", "en", "hi")):
        branch = (chain.north, chain.south)[number % 2]
        CustomerFactory(home_branch=branch, language=language)
    CustomerFactory(home_branch=None, phone="+8801712345678")
    return chain


def sms_of(length, hindi_length):
    contents = {"en": {"body": "a" * length}, "hi": {"body": "न" * hindi_length}}
    return TemplateFactory(sms=True, contents=contents)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    whatsapp=PRICES,
    sms=PRICES,
    mode=st.sampled_from(["single", "cascade", "all"]),
    lengths=LENGTHS,
    ends=st.lists(ENDS, min_size=12, max_size=12),
)
def test_the_estimate_is_what_is_promised_and_covers_what_is_booked(
    ground, whatsapp, sms, mode, lengths, ends
):
    RateCard.objects.filter(channel="whatsapp").update(amount=whatsapp)
    RateCard.objects.filter(channel="sms").update(amount=sms)
    Message.objects.all().delete()
    for table in (BatchCost, DispatchBatch, BudgetMonth):
        table.objects.all().delete()
    run = make_channel_run(mode, TemplateFactory(), sms_of(*lengths))
    counted = estimating.estimate(
        estimating.judged(
            audience=everyone(),
            purpose=run.purpose,
            mode=mode,
            steps=run.steps,
            charged_branch_id=None,
            now=clock.now(),
        )
    )
    frozen = freeze_run(run=run, audience=everyone())
    assert counted.cost == frozen.cost == sum(counted.branch_costs.values())
    assert reserved() == counted.cost
    assert {b: c for b, c in counted.branch_costs.items() if b} == reserved_by_branch()

    messages = list(Message.objects.filter(run=run).exclude(state="skipped").order_by("pk"))
    for message, end in zip(messages, ends, strict=False):
        if end != message.state:
            become(message, end)
    settle_due()
    chain_row = BudgetMonth.objects.get(branch=None)
    assert chain_row.reserved + chain_row.spent <= counted.cost
    SendRun.objects.filter(pk=run.pk).update(state="cancelled")


def reserved():
    return BudgetMonth.objects.get(branch=None).reserved


def reserved_by_branch():
    rows = BudgetMonth.objects.exclude(branch=None).filter(reserved__gt=0)
    return dict(rows.values_list("branch_id", "reserved"))


@pytest.mark.parametrize(
    ("text", "language", "parts"),
    [
        ("a" * 160, "en", 1),
        ("a" * 161, "en", 2),
        ("a" * 307, "en", 3),
        ("न" * 70, "hi", 1),
        ("न" * 71, "hi", 2),
        ("न" * 134, "hi", 2),
        ("न" * 135, "hi", 3),
    ],
)
def test_parts_of_an_sms_by_language(ground, text, language, parts):
    set_config()
    Customer.objects.filter(home_branch=None).delete()
    Customer.objects.exclude(language=language).delete()
    template = TemplateFactory(sms=True, contents={language: {"body": text}})
    run = make_channel_run("single", template)
    plan = plan_channels(run.steps, mode="single", purpose=run.purpose, now=clock.now())
    price = plan.steps[0].prices.home
    frozen = freeze_run(run=run, audience=everyone())
    assert frozen.sendable == 2
    assert frozen.cost == 2 * parts * price > Decimal(0)
