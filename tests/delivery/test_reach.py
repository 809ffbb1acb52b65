"""Whom each channel reaches for how much: the card beside the segment builder."""

import datetime as dt
from decimal import Decimal

import pytest

from customers.models import Customer
from marketing.delivery.reach import reach
from marketing.policy.models import RateCard
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import make_sender
from tests.factories.policy import set_config


@pytest.fixture
def people(chain):
    """Prices of a quarter rupee in India and one rupee to Bangladesh, by WhatsApp alone."""
    make_sender()
    RateCard.objects.filter(provider="meta", category="marketing").delete()
    for country, amount in (("IN", "0.25"), ("BD", "1")):
        RateCard.objects.create(
            provider="meta",
            channel="whatsapp",
            country=country,
            category="marketing",
            amount=Decimal(amount),
            currency="INR",
            effective_from=dt.date(2026, 1, 1),
        )
    CustomerFactory(phone="+919000000001")
    CustomerFactory(phone="+8801700000001", email="")
    return chain


def channels(**customers):
    return {
        each.label: (each.has_address, each.reachable, each.cost)
        for each in reach(Customer.objects.filter(**customers))
    }


def test_each_channel_counts_addresses_and_costs(people):
    assert channels() == {
        "WhatsApp": (2, 2, Decimal("1.25")),
        "SMS": (2, 2, None),
        "E-mail": (1, 1, None),
    }
    assert channels(email="")["WhatsApp"] == (1, 1, Decimal(1))
    assert channels(first_name="Nobody") == {
        "WhatsApp": (0, 0, Decimal(0)),
        "SMS": (0, 0, None),
        "E-mail": (0, 0, None),
    }


@pytest.mark.parametrize(
    ("consent", "whatsapp", "sms"),
    [
        ({}, 3, 3),
        ({"whatsapp_promotional": False}, 2, 3),
        ({"is_dnd": True}, 3, 2),
        ({"marketing_opted_out": True}, 2, 2),
        (False, 2, 2),
    ],
)
def test_consent_decides(people, consent, whatsapp, sms):
    CustomerFactory(consent=consent)
    found = channels()
    assert found["WhatsApp"][:2] == (3, whatsapp)
    assert found["SMS"][:2] == (3, sms)


def test_a_currency_without_a_rate_leaves_the_counts(people):
    RateCard.objects.filter(provider="meta").update(currency="BDT")
    assert channels()["WhatsApp"] == (2, 2, None)


def test_what_is_switched_off_is_said(people):
    set_config(sms_enabled=False)
    assert [each.is_enabled for each in reach(Customer.objects.all())][1] is False


def test_few_statements_however_many_people(people, django_assert_max_num_queries):
    reach(Customer.objects.all())
    for _ in range(5):
        CustomerFactory()
    # Chain, settings, accounts, prices, and one that counts.
    with django_assert_max_num_queries(6):
        reach(Customer.objects.all())
