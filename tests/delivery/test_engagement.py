"""What people read becomes part of their facts, and is found by segments."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from customers import facts, facts_check
from customers.models import Customer, CustomerFacts
from customers.services import merge_customers
from marketing.core.ids import lower_bound
from marketing.delivery.models import Message
from marketing.segments.compiler import compile_rules
from tests.factories.customers import CustomerFactory
from tests.factories.segments import where

NOW = timezone.now().replace(microsecond=0)
MOMENT = NOW - dt.timedelta(hours=2)


def sent(customer, *, days=0, read_at=None, **values):
    """A message made so long ago."""
    made = lower_bound(timezone.now() - dt.timedelta(days=days))
    return Message.objects.create(
        **{
            "pk": uuid.UUID(int=made.int | uuid.uuid4().int % 2**60),
            "run_id": uuid.uuid4(),
            "batch_id": 0,
            "customer": customer,
            "kind": "campaign",
            "channel": "whatsapp",
            "purpose": "promotional",
            "language": "en",
            "state": "read" if read_at else "delivered",
            "read_at": read_at,
            **values,
        }
    )


def of(customer):
    found = CustomerFacts.objects.get(customer=customer)
    return found.engaged_90_days, found.last_engaged_at


def computed(customer):
    facts.mark_stale([customer.pk])
    facts.refresh_stale_facts()
    return of(customer)


@pytest.fixture
def asha(chain):
    return CustomerFactory(home_branch=chain.north)


def test_nothing_read(asha):
    sent(asha)
    assert computed(asha) == (0, None)


def test_messages_of_ninety_days_count_when_they_were_read(asha):
    sent(asha, days=1, read_at=MOMENT)
    sent(asha, days=89, read_at=MOMENT - dt.timedelta(days=88))
    sent(asha, days=91, read_at=MOMENT - dt.timedelta(days=90))
    sent(CustomerFactory(), read_at=NOW)
    assert computed(asha) == (2, MOMENT)


def test_a_test_to_staff_is_nobodys_reading(asha):
    sent(asha, kind="test", read_at=MOMENT)
    assert computed(asha) == (0, None)


def test_what_was_read_long_ago_ages(asha):
    sent(asha, days=89, read_at=MOMENT - dt.timedelta(days=88))
    assert computed(asha)[0] == 1
    CustomerFacts.objects.update(computed_at=NOW - dt.timedelta(days=1))
    Message.objects.all().delete()
    sent(asha, days=91, read_at=MOMENT - dt.timedelta(days=88))
    assert facts.age_facts() == 1
    assert of(asha) == (0, None)


def test_segments_find_who_reads(asha):
    bina = CustomerFactory()
    sent(asha, read_at=MOMENT)
    for person in (asha, bina):
        computed(person)
    for rule, found in (
        (where("engaged_90_days", "gte", 1), asha),
        (where("last_engaged_days", "lte", 1), asha),
        (where("last_engaged_days", "not_set", None), bina),
    ):
        rules = compile_rules(rule, now=timezone.now(), zone="Asia/Kolkata")
        assert Customer.objects.filter(rules).get() == found


def test_a_merge_unites_what_both_read(chain, asha):
    bina = CustomerFactory(home_branch=chain.north)
    sent(asha, read_at=MOMENT - dt.timedelta(days=1))
    sent(bina, read_at=MOMENT)
    merge_customers(actor=chain.actor(chain.owner), keep=asha, other=bina, choices={})
    facts.refresh_stale_facts()
    assert of(asha) == (2, MOMENT)


def test_the_check_knows_a_wrong_number(asha):
    sent(asha, read_at=MOMENT)
    computed(asha)
    CustomerFacts.objects.update(engaged_90_days=7)
    _last, found = facts_check.compare(uuid.UUID(int=0))
    assert dict(found.differences) == {"engaged_90_days": 1}
