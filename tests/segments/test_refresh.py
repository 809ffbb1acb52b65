"""Refreshes side by side, the history they leave, and the people judged again by themselves."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.utils import timezone

from customers import facts
from customers.models import Customer
from marketing.core import clock, events
from marketing.core.models import DomainEvent
from marketing.core.tenancy import tenant_scope
from marketing.segments import services
from marketing.segments.models import MembershipChange, Segment, SegmentSize, StaleMember
from marketing.segments.services import recheck
from marketing.segments.services import refresh as refreshing
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory, VisitFactory
from tests.factories.segments import SegmentFactory, StaticSegmentFactory, where


def members(segment):
    return set(segment.members.values_list("customer__first_name", flat=True))


def visit(chain, customer, branch=None):
    VisitFactory(customer=customer, branch=branch or chain.north)
    facts.mark_stale([customer.pk])
    facts.refresh_stale_facts()


@pytest.mark.django_db(transaction=True)
def test_a_slow_old_refresh_never_overwrites_a_newer_one(monkeypatch):
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        CustomerFactory(facts={"visit_count": 1})
        segment = SegmentFactory()
    # Nobody's clock tells the two apart.
    moment = timezone.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    count = refreshing._count_dynamic
    overtaken = []

    def overtake():
        try:
            with tenant_scope(chain.tenant.pk):
                CustomerFactory(facts={"visit_count": 1})
            with tenant_scope(chain.tenant.pk):
                services.refresh_all()
        finally:
            connection.close()

    def count_slowly(segments, context):
        counts = count(segments, context)
        if not overtaken:
            overtaken.append(counts)
            newer = threading.Thread(target=overtake)
            newer.start()
            newer.join(60)
            assert not newer.is_alive()
        return counts

    monkeypatch.setattr(refreshing, "_count_dynamic", count_slowly)
    with tenant_scope(chain.tenant.pk):
        services.refresh_all()
    assert [sum(counts[segment.pk].values()) for counts in overtaken] == [1]
    with tenant_scope(chain.tenant.pk):
        assert Segment.objects.get().customer_count == 2
        assert SegmentSize.objects.get().customer_count == 2


def test_each_day_keeps_its_last_size(people, monkeypatch):
    segment = SegmentFactory()
    static = StaticSegmentFactory(members=Customer.objects.filter(first_name="never"))
    services.refresh_all()
    CustomerFactory(home_branch=people.south, facts={"visit_count": 1})
    services.refresh_all()
    today = SegmentSize.objects.get(segment=segment)
    assert (today.customer_count, today.count_within([people.south.pk])) == (3, 2)
    later = timezone.now() + dt.timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    services.refresh_all()
    sizes = segment.sizes.order_by("day").values_list("day", "customer_count")
    assert list(sizes) == [(today.day, 3), (today.day + dt.timedelta(days=1), 3)]
    assert [size.customer_count for size in static.sizes.all()] == [1, 1]
    later = timezone.now() + dt.timedelta(days=500)
    services.refresh_all()
    assert segment.sizes.count() == 1


def test_who_changed_is_judged_again_by_herself(people, followed, django_assert_max_num_queries):
    segment = SegmentFactory()
    loyal = SegmentFactory(rules=where("visit_count", "gte", 2))
    services.refresh_all()
    DomainEvent.objects.all().delete()
    assert members(segment) == {"north", "south"}
    # Facts of this one were changed behind everybody's back: only a full refresh may notice.
    unmarked = CustomerFactory(first_name="unmarked", facts={"visit_count": 1})
    never = Customer.objects.get(first_name="never")
    visit(people, never)
    assert StaleMember.objects.get().customer_id == never.pk
    # Marks; segments twice, chain, zones; one judgement; counts; one event and what it owes.
    with django_assert_max_num_queries(12):
        assert services.recheck_marked() == 1
    assert members(segment) == {"north", "south", "never"}
    assert members(loyal) == {"north", "south"}
    segment.refresh_from_db()
    assert segment.customer_count == 3
    assert segment.count_within([people.north.pk]) == 2
    told = DomainEvent.objects.get()
    assert told.name == "segment.entered"
    assert told.payload["segmentId"] == str(segment.pk)
    change = MembershipChange.objects.get(batch_id=told.payload["batchId"])
    assert (change.customer_id, change.entered) == (never.pk, True)
    services.refresh_all()
    assert members(segment) == {"north", "south", "never", unmarked.first_name}


def test_who_leaves_is_taken_out(people, followed):
    segment = SegmentFactory(rules=where("visit_count", "eq", 0))
    services.refresh_all()
    DomainEvent.objects.all().delete()
    visit(people, Customer.objects.get(first_name="never"))
    services.recheck_marked()
    segment.refresh_from_db()
    assert (members(segment), segment.customer_count, segment.branch_counts) == (set(), 0, {})
    assert [event.name for event in DomainEvent.objects.all()] == ["segment.left"]
    assert services.recheck_marked() == 0


def test_many_segments_take_several_passes(people, followed, monkeypatch):
    monkeypatch.setattr(recheck, "PASS", 2)
    segments = [SegmentFactory() for _ in range(3)]
    services.refresh_all()
    visit(people, Customer.objects.get(first_name="never"))
    services.recheck_marked()
    assert all("never" in members(segment) for segment in segments)


def test_unusable_rules_keep_whom_they_held(people, followed):
    segment = SegmentFactory()
    services.refresh_all()
    Segment.objects.update(rules=where("attribute.gone", "eq", "x"))
    visit(people, Customer.objects.get(first_name="never"))
    assert services.recheck_marked() == 1
    assert members(segment) == {"north", "south"}


def test_a_segment_never_refreshed_waits_for_its_first_full_refresh(people, followed):
    segment = SegmentFactory()
    visit(people, Customer.objects.get(first_name="never"))
    services.recheck_marked()
    assert not segment.members.exists()
    assert not DomainEvent.objects.exists()


def test_nobody_follows_so_nobody_is_marked(people):
    SegmentFactory()
    visit(people, Customer.objects.get(first_name="never"))
    assert not StaleMember.objects.exists()
    services.refresh_all()
    assert not Segment.objects.get().keeps_members


@pytest.mark.django_db(transaction=True)
def test_a_full_refresh_and_one_of_the_changed_agree(monkeypatch):
    """The change is committed while the full refresh holds the segment: it waits, then counts."""
    monkeypatch.setattr(events, "has_subscribers", lambda name: name.startswith("segment."))
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        newcomer = CustomerFactory(facts={"visit_count": 0})
        segment = SegmentFactory()
        services.refresh_all()
    write = refreshing.write_difference
    started = []

    def change():
        try:
            with tenant_scope(chain.tenant.pk):
                visit(chain, newcomer)
            with tenant_scope(chain.tenant.pk):
                services.recheck_marked()
        finally:
            connection.close()

    def write_and_let_others_come(*args):
        write(*args)
        started.append(threading.Thread(target=change))
        started[0].start()

    monkeypatch.setattr(refreshing, "write_difference", write_and_let_others_come)
    with tenant_scope(chain.tenant.pk):
        services.refresh_all()
    started[0].join(60)
    with tenant_scope(chain.tenant.pk):
        assert Segment.objects.get().customer_count == 1
        assert segment.members.get().customer_id == newcomer.pk
