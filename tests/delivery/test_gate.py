"""Each reason of the gate at its boundary, in the freeze and on the page that explains."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from customers.models import ConsentState, Suppression
from customers.services import suppress_address
from marketing.delivery import selectors
from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch.marking import mark
from marketing.delivery.dispatch.sending import load_sending
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.services import freeze_run
from marketing.policy.models import HoldoutMember, ProviderAccount
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_window, set_load
from tests.factories.policy import set_branch_config, set_config

MINUTE = dt.timedelta(minutes=1)
HELD = ("held", "outside_window")


@pytest.fixture
def asha(chain):
    open_window()
    return CustomerFactory(first_name="Asha", home_branch=chain.north)


def reason_at_freeze(customer, channel="whatsapp", purpose="promotional"):
    """The reason with which the customer is skipped, "" when she is not."""
    make_sender(channel)
    template = TemplateFactory(channel=channel)
    run = make_run(template, purpose=purpose)
    freeze_run(run=run, audience=everyone())
    message = Message.objects.get(run=run, customer=customer)
    assert (message.state == "skipped") == bool(message.reason)
    blocking = [
        verdict.code
        for verdict in selectors.explain(customer=customer, channel=channel, purpose=purpose)
        if verdict.blocks
    ]
    if message.reason not in ("duplicate_address", "missing_value"):
        assert (blocking or [""])[0] == message.reason
    return message.reason


def test_it_lets_a_consenting_customer_through(asha):
    assert reason_at_freeze(asha) == ""


@pytest.mark.parametrize("purpose", ["promotional", "transactional"])
def test_marketing_disabled(asha, purpose):
    set_config(marketing_enabled=False)
    assert reason_at_freeze(asha, purpose=purpose) == "marketing_disabled"


def test_marketing_disabled_for_the_branch(asha, chain):
    set_branch_config(chain.north, marketing_enabled=False)
    assert reason_at_freeze(asha) == "marketing_disabled"


def test_channel_disabled(asha):
    set_config(sms_enabled=False)
    assert reason_at_freeze(asha, "sms") == "channel_disabled"


@pytest.mark.parametrize("purpose", ["promotional", "transactional"])
def test_suppressed_by_a_hard_bounce(asha, purpose):
    suppress_address(channel="email", address=asha.email, reason=Suppression.Reason.HARD_BOUNCE)
    assert reason_at_freeze(asha, "email", purpose) == "suppressed"


def test_suppression_of_another_channel_does_not_count(asha):
    suppress_address(channel="sms", address=asha.phone, reason=Suppression.Reason.INVALID)
    assert reason_at_freeze(asha, "whatsapp") == ""


def test_opting_out_at_the_provider_spares_transactional(asha):
    suppress_address(channel="sms", address=asha.phone, reason=Suppression.Reason.OPTED_OUT)
    assert reason_at_freeze(asha, "sms", "transactional") == ""


def test_no_address(chain):
    open_window()
    nobody = CustomerFactory(phone="", whatsapp_id="")
    assert reason_at_freeze(nobody) == "no_address"


def test_whatsapp_user_id_is_an_address(chain):
    open_window()
    hidden = CustomerFactory(phone="", whatsapp_id="IN.3724117084395812")
    assert reason_at_freeze(hidden) == ""
    assert Message.objects.get(customer=hidden).address == "IN.3724117084395812"


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [("promotional", "opted_out"), ("service", "opted_out"), ("transactional", "")],
)
def test_opted_out(asha, purpose, expected):
    ConsentState.objects.filter(customer=asha).update(marketing_opted_out=True)
    assert reason_at_freeze(asha, purpose=purpose) == expected


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [("promotional", "no_consent"), ("service", ""), ("transactional", "")],
)
def test_no_consent_for_the_purpose(asha, purpose, expected):
    ConsentState.objects.filter(customer=asha).update(whatsapp_promotional=False)
    assert reason_at_freeze(asha, purpose=purpose) == expected


def test_nothing_known_of_consent_is_no_consent(chain):
    open_window()
    stranger = CustomerFactory()
    ConsentState.objects.filter(customer=stranger).delete()
    assert reason_at_freeze(stranger) == "no_consent"


@pytest.mark.parametrize(
    ("channel", "purpose", "expected"),
    [
        ("sms", "promotional", "dnd"),
        ("sms", "service", "dnd"),
        ("sms", "transactional", ""),
        ("whatsapp", "promotional", ""),
    ],
)
def test_dnd_stops_sms_only(asha, channel, purpose, expected):
    ConsentState.objects.filter(customer=asha).update(is_dnd=True)
    assert reason_at_freeze(asha, channel, purpose) == expected


def test_of_two_with_one_phone_the_lowest_id_stays(asha):
    twin = CustomerFactory(first_name="Twin", phone=asha.phone)
    assert reason_at_freeze(twin) == "duplicate_address"
    assert Message.objects.get(customer=asha).reason == ""


def test_someone_skipped_does_not_shadow_who_shares_the_phone(asha):
    twin = CustomerFactory(first_name="Twin", phone=asha.phone)
    ConsentState.objects.filter(customer=asha).update(marketing_opted_out=True)
    assert reason_at_freeze(twin) == ""


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [("promotional", "holdout"), ("service", "holdout"), ("transactional", "")],
)
def test_holdout_spares_transactional_only(asha, purpose, expected):
    HoldoutMember.objects.create(customer=asha)
    assert reason_at_freeze(asha, purpose=purpose) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (dt.timedelta(days=1) - MINUTE, "daily_cap"),
        (dt.timedelta(days=1) + MINUTE, ""),
    ],
)
def test_daily_cap_looks_back_24_hours_exactly(asha, age, expected):
    set_config(daily_message_limit_per_customer=2)
    now = timezone.now()
    set_load(asha, [now - age, now - MINUTE])
    assert reason_at_freeze(asha) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [(dt.timedelta(days=7) - MINUTE, "weekly_cap"), (dt.timedelta(days=7) + MINUTE, "")],
)
def test_weekly_cap_looks_back_seven_days_exactly(asha, age, expected):
    set_config(daily_message_limit_per_customer=2, weekly_message_limit_per_customer=3)
    now = timezone.now()
    day = dt.timedelta(days=1)
    set_load(asha, [now - age, now - 3 * day, now - 2 * day])
    assert reason_at_freeze(asha) == expected


def test_caps_spare_transactional(asha):
    set_config(daily_message_limit_per_customer=0)
    assert reason_at_freeze(asha, purpose="transactional") == ""


def test_a_cap_of_zero_lets_nothing_through(asha):
    set_config(daily_message_limit_per_customer=0)
    assert reason_at_freeze(asha) == "daily_cap"


def test_first_reason_in_order_is_named(asha):
    ConsentState.objects.filter(customer=asha).update(
        marketing_opted_out=True, whatsapp_promotional=False
    )
    HoldoutMember.objects.create(customer=asha)
    assert reason_at_freeze(asha) == "opted_out"


def test_missing_value_skips_the_person(asha):
    make_sender()
    body = "Hi {{ customer_name }}, your {{ favourite_service }} is due."
    run = make_run(TemplateFactory(contents={"en": {"body": body}}))
    freeze_run(run=run, audience=everyone())
    assert Message.objects.get(run=run).reason == "missing_value"


def test_a_default_stands_in_for_a_missing_value(asha):
    make_sender()
    body = 'Your {{ favourite_service | default: "next visit" }} is due.'
    run = make_run(TemplateFactory(contents={"en": {"body": body}}))
    freeze_run(run=run, audience=everyone())
    assert Message.objects.get(run=run).reason == ""


def test_one_e_mail_address_of_two_does_not_matter_on_the_phone(asha):
    twin = CustomerFactory(email=asha.email)
    assert reason_at_freeze(twin, "whatsapp") == ""
    assert reason_at_freeze(twin, "email") == "duplicate_address"


def test_one_whatsapp_id_of_two_without_a_phone_is_written_to_once(chain):
    open_window()
    first = CustomerFactory(phone="", whatsapp_id="IN.3724117084395812")
    second = CustomerFactory(phone="", whatsapp_id=first.whatsapp_id)
    assert reason_at_freeze(second) == "duplicate_address"
    assert Message.objects.get(customer=first).reason == ""


INSTANT = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("window", "age", "expected"),
    [
        ("daily", dt.timedelta(days=1), ""),
        ("daily", dt.timedelta(days=1) - INSTANT, "daily_cap"),
        ("weekly", dt.timedelta(days=7), ""),
        ("weekly", dt.timedelta(days=7) - INSTANT, "weekly_cap"),
    ],
)
def test_a_slot_is_free_again_on_the_instant(asha, window, age, expected):
    limits = {"daily_message_limit_per_customer": 5, "weekly_message_limit_per_customer": 5}
    set_config(**limits | {f"{window}_message_limit_per_customer": 1})
    now = timezone.now()
    set_load(asha, [now - age])
    with time_machine.travel(now, tick=False):
        assert reason_at_freeze(asha) == expected


def local(hour, minute, second=0):
    """That time of the clock on the wall in India, where every branch of the chain is."""
    return dt.datetime(2026, 11, 20, hour, minute, second, tzinfo=INDIA)


INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
DAY, NIGHT = (dt.time(9), dt.time(21)), (dt.time(22), dt.time(6))
ALL_DAY = (dt.time(0), dt.time(0))


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


def test_transactional_messages_go_at_any_hour(chain):
    set_config(send_window_start=dt.time(9), send_window_end=dt.time(21))
    make_sender("sms")
    CustomerFactory(home_branch=chain.north)
    with time_machine.travel(local(3, 0), tick=False):
        run = make_run(TemplateFactory(sms=True), purpose="transactional")
        freeze_run(run=run, audience=everyone())
    assert Message.objects.get(run=run).not_before is None


class TestRightBeforeSending:
    """What changed between the freeze and the sending counts."""

    def marked(self, run):
        """(state, reason) of the run's messages after a worker has marked what may go."""
        DispatchBatch.objects.update(next_at=timezone.now() - dt.timedelta(days=1))
        lease = leases.claim(SendRun.objects.exclude(pk=run.pk).values_list("pk", flat=True))
        mark(lease, load_sending(lease), 10)
        return sorted(Message.objects.filter(run=run).values_list("state", "reason"))

    def frozen(self, channel="sms", **values):
        make_sender(channel)
        run = make_run(TemplateFactory(channel=channel), **values)
        freeze_run(run=run, audience=everyone())
        return run

    @pytest.fixture
    def midday(self):
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
    def test_consent_withdrawn_since_the_freeze(self, asha, midday, change, reason):
        run = self.frozen()
        ConsentState.objects.filter(customer=asha).update(**change)
        assert self.marked(run) == [("skipped" if reason else "sending", reason)]

    def test_an_address_suppressed_since_the_freeze(self, asha, midday):
        run = self.frozen()
        suppress_address(channel="sms", address=asha.phone, reason=Suppression.Reason.INVALID)
        assert self.marked(run) == [("skipped", "suppressed")]

    @pytest.mark.parametrize(
        ("switch", "reason"),
        [("marketing_enabled", "marketing_disabled"), ("sms_enabled", "channel_disabled")],
    )
    def test_a_switch_turned_off_since_the_freeze(self, asha, midday, switch, reason):
        run = self.frozen(purpose="transactional")
        set_config(**{switch: False})
        assert self.marked(run) == [("skipped", reason)]

    def test_kept_out_since_the_freeze(self, asha, midday):
        run = self.frozen()
        HoldoutMember.objects.create(customer=asha)
        assert self.marked(run) == [("skipped", "holdout")]

    @pytest.mark.parametrize(
        ("window", "age", "reason"),
        [
            ("daily", dt.timedelta(days=1), ""),
            ("daily", dt.timedelta(days=1) - INSTANT, "daily_cap"),
            ("weekly", dt.timedelta(days=7), ""),
            ("weekly", dt.timedelta(days=7) - INSTANT, "weekly_cap"),
        ],
    )
    def test_a_slot_taken_since_the_freeze(self, asha, midday, window, age, reason):
        limits = {"daily_message_limit_per_customer": 5, "weekly_message_limit_per_customer": 5}
        set_config(**limits | {f"{window}_message_limit_per_customer": 1})
        run = self.frozen()
        set_load(asha, [timezone.now() - age])
        assert self.marked(run) == [("skipped" if reason else "sending", reason)]

    @pytest.mark.parametrize(
        ("now", "opens"),
        [
            (local(21, 59, 59), local(22, 0)),
            (local(23, 59, 59), None),
            (local(0, 0) + dt.timedelta(days=1), None),
            (local(6, 0) + dt.timedelta(days=1), local(22, 0) + dt.timedelta(days=1)),
        ],
    )
    def test_a_window_across_midnight_that_closes_meanwhile(self, asha, now, opens):
        set_config(send_window_start=NIGHT[0], send_window_end=NIGHT[1])
        with time_machine.travel(local(23, 0), tick=False):
            run = self.frozen("whatsapp")
        with time_machine.travel(now, tick=False):
            found = self.marked(run)
        assert found == [HELD if opens else ("sending", "")]
        assert Message.objects.get(run=run).not_before == opens

    def test_dnd_spares_a_transactional_message(self, asha, midday):
        run = self.frozen(purpose="transactional")
        ConsentState.objects.filter(customer=asha).update(is_dnd=True, marketing_opted_out=True)
        assert self.marked(run) == [("sending", "")]

    def test_a_cap_holds_across_channels_and_branches(self, asha, chain, midday):
        set_config(daily_message_limit_per_customer=1)
        first = self.frozen("whatsapp", charged_branch_id=chain.north.pk)
        second = self.frozen("sms", charged_branch_id=chain.south.pk)
        assert self.marked(first) == [("sending", "")]
        assert self.marked(second) == [("skipped", "daily_cap")]
        third = self.frozen("email", charged_branch_id=chain.west.pk)
        assert [m.reason for m in Message.objects.filter(run=third)] == ["daily_cap"]
