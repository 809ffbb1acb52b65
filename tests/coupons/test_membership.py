"""Segments on a bill: what is kept of them never outlives a change of what they are made of."""

import datetime as dt

import pytest
from django.db import transaction

from customers.models import AttributeDefinition
from marketing.core.tenancy import tenant_scope
from marketing.coupons.selectors import membership
from marketing.coupons.selectors.membership import segments_of
from marketing.segments.models import Segment
from tests.factories.core import BranchFactory
from tests.factories.coupons import new_id
from tests.factories.customers import CustomerFactory

NOW = dt.datetime(2026, 6, 15, 12, 0, tzinfo=dt.UTC)
ZONE = "Asia/Kolkata"


def rules(field, op, value):
    return {"operator": "AND", "conditions": [{"field": field, "op": op, "value": value}]}


TAGGED = rules("tags", "in", ["vip"])


@pytest.fixture
def vips(chain):
    return Segment.objects.create(name="Vips", rules=TAGGED)


def holds(customer, segment, now=NOW):
    return str(segment.pk) in segments_of(customer.pk, [str(segment.pk)], zone=ZONE, now=now)


def test_what_changes_is_seen_at_once(vips):
    she = CustomerFactory(tags=["vip"])
    assert holds(she, vips)
    she.tags = []
    she.save()
    assert not holds(she, vips)
    for rule, expected in ((rules("tags", "not_in", ["vip"]), True), (TAGGED, False)) * 2:
        Segment.objects.filter(pk=vips.pk).update(rules=rule)
        assert holds(she, vips) is expected
    Segment.objects.filter(pk=vips.pk).update(rules=rules("tags", "not_in", ["vip"]))
    assert holds(she, vips)
    Segment.objects.filter(pk=vips.pk).update(is_active=False)
    assert not holds(she, vips)


def test_a_change_that_is_rolled_back_is_seen_too(vips):

    she = CustomerFactory(tags=["vip"])
    with transaction.atomic():
        Segment.objects.filter(pk=vips.pk).update(rules=rules("tags", "not_in", ["vip"]))
        assert not holds(she, vips)
        transaction.set_rollback(True)
    assert holds(she, vips)


def test_a_segment_within_it_counts_as_its_rules(vips):
    outer = Segment.objects.create(
        name="Outer",
        rules={"operator": "AND", "conditions": [{"segment": str(vips.pk), "op": "in"}]},
    )
    she = CustomerFactory(tags=["vip"])
    assert holds(she, outer)
    Segment.objects.filter(pk=vips.pk).update(rules=rules("tags", "in", ["other"]))
    assert not holds(she, outer)


def test_days_pass_where_the_chain_is(chain):
    segment = Segment.objects.create(name="Born", rules=rules("birthday_month", "eq", "current"))
    she = CustomerFactory(birth_date=dt.date(1990, 7, 3), home_branch=chain.north)
    last = dt.datetime(2026, 6, 30, 18, 29, tzinfo=dt.UTC)
    assert not holds(she, segment, last)
    assert holds(she, segment, last + dt.timedelta(minutes=1))


def test_a_branch_in_another_zone_is_looked_at(chain):
    segment = Segment.objects.create(name="Born", rules=rules("birthday_month", "eq", "current"))
    away = BranchFactory(time_zone=ZONE)
    she = CustomerFactory(birth_date=dt.date(1990, 7, 3), home_branch=away)
    last = dt.datetime(2026, 6, 30, 18, 0, tzinfo=dt.UTC)
    assert not holds(she, segment, last)
    away.time_zone = "Pacific/Auckland"
    away.save()
    assert holds(she, segment, last)


def test_what_is_at_fault_has_nobody_until_it_is_mended(chain):
    segment = Segment.objects.create(name="Typed", rules=rules("attribute.size", "eq", "L"))
    she = CustomerFactory(attributes={"size": "L"})
    assert not holds(she, segment)
    AttributeDefinition.objects.create(key="size", label="Size", type="text")
    assert holds(she, segment)


def test_a_second_look_compiles_nothing(vips, django_assert_num_queries, monkeypatch):
    other = Segment.objects.create(name="Others", rules=rules("tags", "not_in", ["vip"]))
    she = CustomerFactory(tags=["vip"])
    ids = [str(vips.pk), str(other.pk), str(new_id())]
    segments_of(she.pk, ids, zone=ZONE, now=NOW)
    monkeypatch.setattr(membership, "_compile", None)
    with django_assert_num_queries(2):
        assert segments_of(she.pk, ids, zone=ZONE, now=NOW) == {str(vips.pk)}
    with django_assert_num_queries(0):
        assert segments_of(None, ids, zone=ZONE, now=NOW) == frozenset()


def test_chains_do_not_share_what_is_kept(vips, other_chain):
    she = CustomerFactory(tags=["vip"])
    assert holds(she, vips)
    with tenant_scope(other_chain.tenant.pk):
        assert not holds(she, vips)
