"""Audiences, previews and who may see which segment."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from customers.models import ContactPoint, Customer
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.tenancy import tenant_scope
from marketing.segments import selectors
from marketing.segments.models import Segment
from tests.factories.core import Chain
from tests.factories.customers import CustomerFactory
from tests.factories.segments import SegmentFactory, StaticSegmentFactory, group, where

NOW = timezone.now()
COMES = {"visit_count": 3}


def audience(segment: Segment | None, **values: Any) -> set[str]:
    options = {"branch_ids": None, "now": NOW} | values
    customers = selectors.audience(segment=segment, **options)
    return set(customers.values_list("first_name", flat=True))


@pytest.fixture
def people(chain: Chain) -> Chain:
    CustomerFactory(first_name="north", home_branch=chain.north, facts=COMES)
    CustomerFactory(first_name="south", home_branch=chain.south, facts=COMES)
    CustomerFactory(first_name="never", home_branch=chain.north)
    CustomerFactory(first_name="homeless", facts=COMES)
    CustomerFactory(first_name="erased", facts=COMES, status=Customer.Status.ERASED)
    return chain


def test_everybody(people):
    assert audience(None) == {"north", "south", "never", "homeless"}
    assert audience(None, branch_ids=[people.north.pk]) == {"north", "never"}
    assert audience(None, branch_ids=[]) == set()


def test_a_segment_within_branches(people):
    everywhere = SegmentFactory()
    assert audience(everywhere) == {"north", "south", "homeless"}
    assert audience(everywhere, branch_ids=[people.south.pk]) == {"south"}
    of_north = SegmentFactory(branch_ids=[people.north.pk])
    assert audience(of_north) == {"north"}
    assert audience(of_north, branch_ids=[people.south.pk]) == set()


def test_static_segments_hold_whom_they_list(people):
    listed = Customer.objects.filter(first_name__in=["never", "erased"])
    assert audience(StaticSegmentFactory(members=listed)) == {"never"}


def test_exclusion(people):
    comers = SegmentFactory()
    static = StaticSegmentFactory(members=Customer.objects.filter(first_name="south"))
    assert audience(None, exclude_segment_ids=[comers.pk]) == {"never"}
    assert audience(comers, exclude_segment_ids=[static.pk]) == {"north", "homeless"}
    of_north = SegmentFactory(branch_ids=[people.north.pk])
    assert audience(comers, exclude_segment_ids=[of_north.pk]) == {"south", "homeless"}


def test_an_unknown_exclusion_is_refused(people, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = SegmentFactory()
    with pytest.raises(ValidationFailed) as caught:
        audience(None, exclude_segment_ids=[theirs.pk])
    assert list(caught.value.fields) == ["excludeSegmentIds"]


def test_a_broken_segment_says_so(people):
    with pytest.raises(ValidationFailed) as caught:
        audience(SegmentFactory(rules=where("attribute.gone", "eq", "x")))
    assert list(caught.value.fields) == ["rules.conditions.0.field"]


def test_an_audience_knows_only_its_chain(people, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        CustomerFactory(first_name="theirs", facts=COMES)
    assert "theirs" not in audience(None) | audience(SegmentFactory())


def test_preview_counts_within_the_actor_s_branches(people):
    rules = where("visit_count", "gte", 1)
    for staff, count in ((people.owner, 3), (people.regional, 2), (people.manager, 1)):
        found = selectors.preview(people.actor(staff), rules, None, now=NOW)
        assert found.count == count == len(found.sample)
    both = [people.north.pk, people.south.pk]
    assert selectors.preview(people.actor(people.owner), rules, both, now=NOW).count == 2
    with pytest.raises(ValidationFailed) as caught:
        selectors.preview(people.actor(people.manager), rules, both, now=NOW)
    assert list(caught.value.fields) == ["branchIds"]


def test_preview_shows_at_most_ten(people):
    for _ in range(12):
        CustomerFactory(home_branch=people.north, facts=COMES)
    found = selectors.preview(
        people.actor(people.manager), where("visit_count", "gte", 1), None, now=NOW
    )
    assert (found.count, len(found.sample)) == (13, 10)


def test_preview_takes_few_statements(people, django_assert_max_num_queries):
    actor = people.actor(people.owner)
    rules = group(
        "AND",
        *(where("visit_count", "gte", 1)["conditions"] * 5),
        *where("last_visit_days", "gt", 30)["conditions"],
    )
    # The chain's and the branches' time zones, who is marked stale, the count, and of
    # the sample where to look for it and itself.
    with django_assert_max_num_queries(6):
        selectors.preview(actor, rules, None, now=NOW)


def test_who_sees_which_segment(people):
    everywhere = SegmentFactory()
    of_north = SegmentFactory(branch_ids=[people.north.pk])
    of_south = SegmentFactory(branch_ids=[people.south.pk])
    of_both = SegmentFactory(branch_ids=[people.north.pk, people.south.pk])
    deleted = SegmentFactory(is_active=False)
    manager = people.actor(people.manager)
    assert set(selectors.segments_for_actor(manager)) == {everywhere, of_north, of_both}
    assert len(selectors.segments_for_actor(people.actor(people.owner))) == 4
    for hidden in (of_south, deleted):
        with pytest.raises(NotFound):
            selectors.get_segment_for_actor(manager, hidden.pk)


def test_rules_may_name_only_segments_their_author_sees(people):
    of_south = SegmentFactory(branch_ids=[people.south.pk])
    rules = group("AND", {"segment": str(of_south.pk), "op": "not_in"})
    selectors.preview(people.actor(people.regional), rules, None, now=NOW)
    with pytest.raises(ValidationFailed) as caught:
        selectors.preview(people.actor(people.manager), rules, None, now=NOW)
    assert list(caught.value.fields) == ["rules.conditions.0.segment"]


def test_phones_are_matched_in_any_spelling(people):
    mother = CustomerFactory(phone="+919876543210", home_branch=people.north)
    daughter = CustomerFactory(phone="+919876543210", home_branch=people.north)
    second = CustomerFactory(home_branch=people.north)
    ContactPoint.objects.create(customer=second, kind="phone", value="+919812345678")
    CustomerFactory(phone="+919811111111", home_branch=people.south)
    found = selectors.match_phones(
        people.actor(people.manager),
        ["098765 43210", "+91-98123-45678", "98111 11111", "hello", "9899999999"],
    )
    assert set(found.customer_ids) == {mother.pk, daughter.pk, second.pk}
    assert found.malformed == ["hello"]
    assert set(found.unknown) == {"98111 11111", "9899999999"}


def test_age_of_the_moment_matters(people):
    Customer.objects.get(first_name="north").facts.__class__.objects.filter(
        customer__first_name="north"
    ).update(last_visit_at=NOW - dt.timedelta(days=20))
    segment = SegmentFactory(rules=where("last_visit_days", "gt", 30))
    assert audience(segment) == set()
    assert audience(segment, now=NOW + dt.timedelta(days=12)) == {"north"}
