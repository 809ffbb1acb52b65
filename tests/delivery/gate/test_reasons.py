"""Each reason of the gate at its boundary, in the freeze and on the page that explains."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from customers.models import ConsentState, Suppression
from customers.services import suppress_address
from marketing.delivery import selectors
from marketing.delivery.models import Message
from marketing.delivery.services import freeze_run
from marketing.policy.models import HoldoutMember
from tests.delivery.gate.moments import INSTANT
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_window, set_load
from tests.factories.policy import set_branch_config, set_config

MINUTE = dt.timedelta(minutes=1)


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


@pytest.mark.parametrize(("limit", "reason"), [(1, "weekly_cap"), (2, ""), (None, "")])
def test_her_own_weekly_limit_is_a_cap_too(asha, limit, reason):
    ConsentState.objects.filter(customer=asha).update(weekly_limit=limit)
    set_load(asha, [timezone.now() - dt.timedelta(days=3)])
    assert reason_at_freeze(asha) == reason


def test_her_own_limit_holds_back_nothing_she_asked_for(asha):
    ConsentState.objects.filter(customer=asha).update(weekly_limit=1)
    set_load(asha, [timezone.now() - dt.timedelta(days=3)])
    assert reason_at_freeze(asha, purpose="transactional") == ""


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
