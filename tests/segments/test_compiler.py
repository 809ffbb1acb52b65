"""Rules against customers made for them."""

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from customers.models import AttributeDefinition, Customer
from marketing.core.errors import ValidationFailed
from marketing.segments.compiler import compile_rules
from tests.factories.core import BranchFactory
from tests.factories.customers import CustomerFactory
from tests.factories.segments import (
    SegmentFactory,
    StaticSegmentFactory,
    condition,
    group,
    where,
)

ZONE = "Asia/Kolkata"
NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=ZoneInfo(ZONE))


def names(rules: dict[str, Any], now: dt.datetime = NOW, zone: str = ZONE) -> set[str]:
    found = Customer.objects.filter(compile_rules(rules, now=now, zone=zone))
    result = list(found.values_list("first_name", flat=True))
    assert len(result) == len(set(result)), "a customer came twice"
    return set(result)


def faults(rules: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationFailed) as caught:
        compile_rules(rules, now=NOW, zone=ZONE)
    return caught.value.fields


def person(name, **values):
    return CustomerFactory(first_name=name, **values)


def visited(name: str, day: dt.date, hour: int = 12) -> Customer:
    at = dt.datetime.combine(day, dt.time(hour), ZoneInfo(ZONE))
    return person(name, facts={"last_visit_at": at, "first_visit_at": at, "visit_count": 1})


def test_and_or_not(chain):
    person("few", facts={"visit_count": 1, "total_spend": 50})
    person("many", facts={"visit_count": 9, "total_spend": 50})
    person("rich", facts={"visit_count": 1, "total_spend": 99999})
    many = condition("visit_count", "gt", 5)
    rich = condition("total_spend", "gt", 10000)
    assert names(group("OR", many, rich)) == {"many", "rich"}
    assert names(group("AND", many, rich)) == set()
    assert names(group("NOT", many, rich)) == {"few"}
    assert names(group("NOT", group("NOT", many))) == {"many"}
    assert names(group("AND", group("NOT", many), group("OR", rich, many))) == {"rich"}


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("gt", 30, {"31"}),
        ("gte", 30, {"30", "31"}),
        ("lt", 30, {"0", "29"}),
        ("lte", 30, {"0", "29", "30"}),
        ("eq", 30, {"30"}),
        ("ne", 30, {"0", "29", "31"}),
        ("between", [29, 30], {"29", "30"}),
        ("is_set", None, {"0", "29", "30", "31"}),
        ("not_set", None, {"never"}),
    ],
)
def test_days_since_the_last_visit_are_calendar_days(chain, op, value, expected):
    for days in (0, 29, 30, 31):
        # Late one day and early the next, so that counting hours would go wrong.
        visited(str(days), NOW.date() - dt.timedelta(days=days), hour=23 if days else 1)
    person("never")
    assert names(where("last_visit_days", op, value)) == expected


def test_nobody_who_never_came_matches_a_number_of_days_but_its_negation_does(chain):
    person("never")
    long_ago = condition("last_visit_days", "gt", 30)
    assert names(group("AND", long_ago)) == set()
    assert names(group("NOT", long_ago)) == {"never"}
    assert names(group("NOT", group("AND", group("NOT", long_ago)))) == set()


def test_today_is_the_home_branch_s(chain):
    """At 20:00 UTC on 31 March it is April in Mumbai and still March in London."""
    now = dt.datetime(2026, 3, 31, 20, tzinfo=dt.UTC)
    london = BranchFactory(name="London", time_zone="Europe/London")
    for name, branch in (("in Mumbai", chain.north), ("in London", london), ("nowhere", None)):
        person(f"March {name}", home_branch=branch, birth_date=dt.date(1990, 3, 5))
        person(f"April {name}", home_branch=branch, birth_date=dt.date(1990, 4, 5))
    current = where("birthday_month", "eq", "current")
    assert names(current, now) == {"April in Mumbai", "March in London", "April nowhere"}
    assert names(where("birthday_month", "eq", 3), now) == {
        "March in Mumbai",
        "March in London",
        "March nowhere",
    }


def test_days_are_counted_in_the_home_branch_s_zone(chain):
    now = dt.datetime(2026, 3, 10, 20, tzinfo=dt.UTC)  # 11 March in Mumbai, 10 March in London
    visit = {"last_visit_at": dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC), "visit_count": 1}
    person("Mumbai", home_branch=chain.north, facts=visit)
    london = BranchFactory(time_zone="Europe/London")
    person("London", home_branch=london, facts=visit)
    assert names(where("last_visit_days", "eq", 1), now) == {"Mumbai"}
    assert names(where("last_visit_days", "eq", 0), now) == {"London"}


@pytest.mark.parametrize(
    ("today", "op", "value", "expected"),
    [
        ((2026, 12, 30), "lte", 3, {"12-31", "01-01"}),
        ((2026, 2, 26), "lte", 2, {"02-28", "02-29"}),
        ((2026, 2, 28), "eq", 0, {"02-28", "02-29"}),
        ((2028, 2, 28), "eq", 0, {"02-28"}),
        ((2028, 2, 28), "lte", 2, {"02-28", "02-29", "03-01"}),
        ((2026, 3, 1), "eq", 0, {"03-01"}),
        ((2026, 1, 1), "between", [57, 59], {"02-28", "02-29", "03-01"}),
        ((2026, 3, 2), "lte", 365, {"12-31", "01-01", "02-28", "02-29", "03-01"}),
    ],
)
def test_birthdays_coming_up(chain, today, op, value, expected):
    for month, day in ((12, 31), (1, 1), (2, 28), (2, 29), (3, 1)):
        person(f"{month:02}-{day:02}", birth_date=dt.date(1992, month, day))
    person("unknown")
    now = dt.datetime(*today, 12, tzinfo=ZoneInfo(ZONE))
    assert names(where("birthday_in_days", op, value), now) == expected


def test_expiry_counts_forwards(chain):
    for days in (-1, 0, 7, 8):
        expires = NOW.date() + dt.timedelta(days=days)
        person(str(days), facts={"membership_expires_on": expires})
    assert names(where("membership_expires_days", "between", [0, 7])) == {"0", "7"}
    assert names(where("membership_expires_days", "lt", 0)) == {"-1"}


def test_tags(chain):
    person("bride", tags=["bride", "VIP"])
    person("vip", tags=["VIP"])
    person("none")
    assert names(where("tags", "contains", "VIP")) == {"bride", "vip"}
    assert names(where("tags", "in", ["bride", "student"])) == {"bride"}
    assert names(where("tags", "ne", "bride")) == {"vip", "none"}
    assert names(where("tags", "is_set")) == {"bride", "vip"}
    assert names(where("tags", "not_set")) == {"none"}


def test_a_missing_value_matches_only_not_set(chain):
    person("unsaid")
    person("man", gender="male")
    person("woman", gender="female")
    assert names(where("gender", "ne", "male")) == {"woman"}
    assert names(where("gender", "not_set")) == {"unsaid"}
    assert names(group("NOT", condition("gender", "eq", "male"))) == {"unsaid", "woman"}


def test_both_spellings(chain):
    person("holder", facts={"has_active_package": True})
    person("other")
    assert names(where("has_package", "eq", True)) == {"holder"}
    assert names(where("has_active_package", "eq", False)) == {"other"}
    assert names(where("has_active_package", "ne", True)) == {"other"}


def test_no_consent_row_means_no(chain):
    person("agreed")
    person("refused", consent=False)
    Customer.objects.create(first_name="no row")
    assert names(where("sms_consent", "eq", True)) == {"agreed"}
    assert names(where("sms_consent", "eq", False)) == {"refused", "no row"}


@pytest.mark.parametrize("key", ["skin", "in", "contains", "0", "a-b", "gt"])
def test_custom_attributes(chain, key):
    AttributeDefinition.objects.create(key=key, label="Skin", type="text")
    person("dry", attributes={key: "Dry 100%"})
    person("oily", attributes={key: "oily"})
    person("unknown")
    field = f"attribute.{key}"
    assert names(where(field, "eq", "dry 100%")) == {"dry"}
    assert names(where(field, "contains", "0%")) == {"dry"}
    assert names(where(field, "contains", "_")) == set()
    assert names(where(field, "in", ["OILY", "dry"])) == {"oily"}
    assert names(where(field, "ne", "oily")) == {"dry"}
    assert names(where(field, "is_set")) == {"dry", "oily"}
    assert names(where(field, "not_set")) == {"unknown"}
    assert names(group("NOT", condition(field, "eq", "oily"))) == {"dry", "unknown"}


def test_typed_attributes(chain):
    for key, kind, choices in (
        ("miles", "number", []),
        ("window", "boolean", []),
        ("trip", "date", []),
        ("class", "choice", ["economy", "business"]),
    ):
        AttributeDefinition.objects.create(key=key, label=key, type=kind, choices=choices)
    person(
        "flyer",
        attributes={"miles": 12.5, "window": False, "trip": "2026-05-01", "class": "business"},
    )
    person("unknown")
    for field, op, value, expected in (
        ("miles", "gt", 9, {"flyer"}),
        ("miles", "gt", 12.5, set()),
        ("miles", "between", [12.5, 100], {"flyer"}),
        ("miles", "lt", 100, {"flyer"}),
        ("miles", "ne", 3, {"flyer"}),
        ("window", "eq", False, {"flyer"}),
        ("window", "ne", True, {"flyer"}),
        ("window", "eq", True, set()),
        ("window", "not_set", None, {"unknown"}),
        ("trip", "gte", "2026-05-01", {"flyer"}),
        ("trip", "lt", "2026-05-01", set()),
        ("class", "in", ["business"], {"flyer"}),
    ):
        assert names(where(f"attribute.{field}", op, value)) == expected, (field, op, value)


def test_another_chain_s_attributes_are_unknown(chain, other_chain):
    from marketing.core.tenancy import tenant_scope

    with tenant_scope(other_chain.tenant.pk):
        AttributeDefinition.objects.create(key="theirs", label="Theirs", type="text")
    assert list(faults(where("attribute.theirs", "eq", "x"))) == ["rules.conditions.0.field"]


def test_segments_in_segments(chain):
    many = person("many", facts={"visit_count": 9}, home_branch=chain.north)
    person("south", facts={"visit_count": 9}, home_branch=chain.south)
    person("few", facts={"visit_count": 1}, home_branch=chain.north)
    dynamic = SegmentFactory(rules=where("visit_count", "gt", 5), branch_ids=[chain.north.pk])
    static = StaticSegmentFactory(members=[many])
    for segment in (dynamic, static):
        inside = {"segment": str(segment.pk), "op": "in"}
        outside = {"segment": str(segment.pk), "op": "not_in"}
        assert names(group("AND", inside)) == {"many"}
        assert names(group("AND", outside)) == {"south", "few"}
        assert names(group("NOT", outside)) == {"many"}
    inner = SegmentFactory(rules=group("NOT", {"segment": str(dynamic.pk), "op": "in"}))
    assert names(group("AND", {"segment": str(inner.pk), "op": "in"})) == {"south", "few"}


def test_a_circle_of_segments_is_refused_and_named(chain):
    first = SegmentFactory(name="First")
    second = SegmentFactory(
        name="Second", rules=group("AND", {"segment": str(first.pk), "op": "in"})
    )
    first.rules = group("OR", {"segment": str(second.pk), "op": "in"})
    first.save()
    fields = faults(
        group("AND", condition("tags", "is_set"), {"segment": str(first.pk), "op": "in"})
    )
    assert list(fields) == ["rules.conditions.1.segment"]
    assert "First → Second → First" in fields["rules.conditions.1.segment"][0]


def test_a_circle_is_looked_up_in_the_index_of_places(chain):
    """A band of latitudes of a million people, not all of them."""
    rules = where("location", "within_km", {"km": 5, "lat": 19.06, "lng": 72.83})
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        # Of a table as small as this all indexes cost the same: only that one is in their order.
        cursor.execute("SET LOCAL enable_sort = off")
    people = Customer.objects.filter(compile_rules(rules, now=NOW, zone=ZONE))
    plan = people.order_by("latitude").explain()
    assert "using customer_place" in plan
    assert re.search("Index Cond: .*latitude >= .*latitude <=", plan)
