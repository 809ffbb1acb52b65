"""The freeze writes everyone once, skipped ones too, or nothing at all."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from marketing.core.errors import BudgetExceeded, ChannelDisabled, Conflict, NoExchangeRate
from marketing.core.models import DomainEvent, Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.services import freeze, freeze_run
from marketing.policy.models import BudgetMonth, RateCard
from tests.concurrency import at_once
from tests.factories.content import TemplateFactory
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours, states_of
from tests.factories.policy import set_branch_config, set_config


@pytest.fixture
def audience(chain):
    open_all_hours()
    make_sender()
    CustomerFactory.create_batch(7, home_branch=chain.north)
    CustomerFactory.create_batch(3, home_branch=chain.south, consent=False)


def test_every_person_has_a_row_and_the_counters_agree(audience, monkeypatch):
    monkeypatch.setattr(freeze, "BATCH_SIZE", 3)
    run = make_run()
    result = freeze_run(run=run, audience=everyone())
    assert (result.audience, result.sendable, result.reasons) == (10, 7, {"no_consent": 3})
    assert states_of(run) == {"queued": 7, "skipped": 3}
    run.refresh_from_db()
    assert (run.state, run.audience) == (SendRun.State.FROZEN, 10)
    sizes = DispatchBatch.objects.filter(run_id=run.pk).order_by("number")
    assert [(b.number, b.queued + b.skipped, b.state) for b in sizes] == [
        (0, 3, "done"),
        (1, 3, "waiting"),
        (2, 3, "waiting"),
        (3, 1, "waiting"),
    ]


def test_messages_lie_within_the_bounds_of_their_batch(audience, monkeypatch):
    monkeypatch.setattr(freeze, "BATCH_SIZE", 2)
    run = make_run()
    freeze_run(run=run, audience=everyone())
    bounds = {b.pk: (b.first_id, b.last_id) for b in DispatchBatch.objects.filter(run_id=run.pk)}
    for message in Message.objects.filter(run=run):
        first, last = bounds[message.batch_id]
        assert first <= message.pk <= last


def test_variables_and_language_are_resolved_per_person(audience, chain):
    meera = CustomerFactory(first_name="मीरा", language="hi", home_branch=chain.north)
    tamil = CustomerFactory(first_name="Kavya", language="ta", home_branch=chain.north)
    run = make_run()
    freeze_run(run=run, audience=everyone())
    message = Message.objects.get(run=run, customer=meera)
    assert (message.language, message.variables) == ("hi", {"customer_name": "मीरा"})
    assert Message.objects.get(run=run, customer=tamil).language == "en"


def test_a_run_freezes_once(audience):
    run = make_run()
    freeze_run(run=run, audience=everyone())
    with pytest.raises(Conflict):
        freeze_run(run=run, audience=everyone())
    assert Message.objects.filter(run=run).count() == 10


def test_budget_that_does_not_suffice_leaves_nothing_behind(audience, chain):
    set_branch_config(chain.north, monthly_budget_limit=Decimal("1.00"))
    run = make_run()
    with pytest.raises(BudgetExceeded):
        freeze_run(run=run, audience=everyone())
    run.refresh_from_db()
    assert run.state == SendRun.State.READY
    assert not Message.objects.exists()
    assert not DispatchBatch.objects.filter(run_id=run.pk).exists()
    assert not BudgetMonth.objects.filter(reserved__gt=0).exists()


def test_cost_is_promised_to_each_branch(audience, chain):
    run = make_run()
    result = freeze_run(run=run, audience=everyone())
    assert result.cost == 7 * Decimal("0.8631")
    assert BudgetMonth.objects.get(branch=chain.north).reserved == result.cost


def test_sms_cost_counts_segments_per_language(audience, chain):
    make_sender("sms")
    CustomerFactory(language="hi", home_branch=chain.north)
    long_hindi = "नमस्ते {{ customer_name }}, " + "आपका स्वागत है। " * 8
    run = make_run(
        TemplateFactory(sms=True, contents={"en": {"body": "Hi!"}, "hi": {"body": long_hindi}})
    )
    freeze_run(run=run, audience=everyone())
    assert set(
        Message.objects.filter(run=run, state="queued").values_list("language", "segments")
    ) == {("en", 1), ("hi", 3)}


def test_no_account_for_the_channel_is_refused(chain):
    open_all_hours()
    CustomerFactory()
    run = make_run()
    with pytest.raises(ChannelDisabled):
        freeze_run(run=run, audience=everyone())
    assert not Message.objects.exists()


def test_outside_the_window_messages_wait_for_it(chain):
    set_config(send_window_start=dt.time(9), send_window_end=dt.time(21))
    make_sender()
    CustomerFactory(home_branch=chain.north)
    with time_machine.travel(dt.datetime(2026, 11, 20, 18, 0, tzinfo=dt.UTC)):  # 23:30 in India
        run = make_run()
        freeze_run(run=run, audience=everyone())
    message = Message.objects.get(run=run)
    assert (message.state, message.reason) == ("held", "outside_window")
    assert message.not_before == dt.datetime(2026, 11, 21, 3, 30, tzinfo=dt.UTC)


def test_freeze_is_announced(audience):
    run = make_run()
    freeze_run(run=run, audience=everyone())
    event = DomainEvent.objects.get(name="send_run.frozen")
    assert event.payload["audience"] == 10


@pytest.mark.django_db(transaction=True)
def test_of_eight_that_start_a_run_together_one_freezes_it():
    made = make_chain()
    with tenant_scope(made.tenant.pk):
        open_all_hours()
        make_sender()
        CustomerFactory.create_batch(5, home_branch=made.north)
        run = make_run()

    def start():
        with tenant_scope(made.tenant.pk):
            freeze_run(run=run, audience=everyone())

    outcomes = at_once(8, start, Conflict)
    assert sum(isinstance(each, Conflict) for each in outcomes) == 7
    with tenant_scope(Tenant.objects.get().pk):
        assert Message.objects.filter(run=run).count() == 5


def test_a_price_of_another_currency_without_its_rate_stops_the_freeze(chain):
    """Taka are not added as if they were rupees."""
    open_all_hours()
    make_sender()
    CustomerFactory(home_branch=chain.north)
    RateCard.objects.filter(provider="meta", category="marketing").update(currency="BDT")
    run = make_run()
    with pytest.raises(NoExchangeRate):
        freeze_run(run=run, audience=everyone())
    assert not Message.objects.filter(run=run).exists()
    RateCard.objects.filter(currency="BDT").update(exchange_rate=Decimal("0.5"))
    result = freeze_run(run=run, audience=everyone())
    assert result.cost == Decimal("0.4316")


def test_each_message_costs_what_its_phones_country_costs(chain):
    open_all_hours()
    make_sender()
    for country, amount in [("BD", "1.5000"), ("US", "2.5000")]:
        RateCard.objects.create(
            provider="meta",
            channel="whatsapp",
            country=country,
            category="marketing",
            amount=Decimal(amount),
            effective_from=dt.date(2026, 1, 1),
        )
    phones = {
        "+919820012345": Decimal("0.8631"),
        "+8801711111111": Decimal("1.5000"),
        "+16502530000": Decimal("2.5000"),
        "+447400123456": Decimal("0.8631"),  # no price of its own: as at home
    }
    for phone in phones:
        CustomerFactory(home_branch=chain.north, phone=phone)
    run = make_run()
    result = freeze_run(run=run, audience=everyone())
    assert dict(Message.objects.filter(run=run).values_list("address", "cost")) == phones
    assert result.cost == sum(phones.values())
