"""Every built-in segment asks what this product knows, and finds whom it names."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from marketing.segments import services
from marketing.segments.compiler import compile_rules
from marketing.segments.models import Segment, SegmentType
from marketing.segments.selectors import audience
from marketing.segments.sentence import describe
from marketing.segments.services.system import usable_system_segments
from marketing.segments.services.system_rules import SYSTEM_SEGMENTS
from tests.factories.customers import CustomerFactory
from tests.factories.referrals import converted, make_programme

ZONE = "Asia/Kolkata"
NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=ZoneInfo(ZONE))
# Of engines that are still to come.
WAITING: set[str] = set()


def test_only_fields_of_engines_to_come_are_waited_for(chain):
    assert set(SYSTEM_SEGMENTS) - set(usable_system_segments()) == WAITING


@pytest.mark.parametrize("name", sorted(set(SYSTEM_SEGMENTS) - WAITING))
def test_its_rules_are_valid_and_can_be_said(chain, name):
    rules = SYSTEM_SEGMENTS[name].rules
    compile_rules(rules, now=NOW, zone=ZONE)
    assert describe(rules, "en").startswith("Everybody")


def test_who_brings_and_who_was_brought_take_part(chain):
    make_programme()
    asha, bela, _other = CustomerFactory.create_batch(3)
    converted(asha, bela, chain.north)
    services.ensure_system_segments()
    found = audience(
        segment=Segment.objects.get(name="Referral Participants"), branch_ids=None, now=NOW
    )
    assert set(found) == {asha, bela}


def test_all_are_counted(people):
    services.ensure_system_segments()
    ours = Segment.objects.filter(segment_type=SegmentType.SYSTEM)
    assert services.refresh_all() == len(ours) == len(SYSTEM_SEGMENTS) - len(WAITING)
    assert not ours.filter(last_refreshed_at=None).exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("VIP Customers", {"champion"}),
        ("High Lifetime Value", {"champion"}),
        ("High Churn Risk", {"long late"}),
        ("Medium Churn Risk", {"late"}),
        ("Due Soon", {"due today", "due"}),
    ],
)
def test_scores_and_rhythms_are_those_of_the_facts(chain, name, expected):
    CustomerFactory(
        first_name="champion",
        facts={
            "rfm_group": "champions",
            "rfm_monetary": 5,
            "rfm_frequency": 5,
            "spend_365_days": 20_000,
        },
    )
    CustomerFactory(
        first_name="loyal", facts={"rfm_group": "loyal", "rfm_monetary": 5, "rfm_frequency": 4}
    )
    for first_name, days in (
        ("long late", -61),
        ("late", -60),
        ("due today", 0),
        ("due", 30),
        ("due later", 31),
    ):
        CustomerFactory(
            first_name=first_name, facts={"due_on": NOW.date() + dt.timedelta(days=days)}
        )
    CustomerFactory(first_name="no rhythm yet")
    services.ensure_system_segments()
    found = audience(segment=Segment.objects.get(name=name), branch_ids=None, now=NOW)
    assert set(found.values_list("first_name", flat=True)) == expected
