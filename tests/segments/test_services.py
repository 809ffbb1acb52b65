"""Segments made, changed, copied, deleted and counted."""

import datetime as dt
import uuid

import pytest
from django.core.management import call_command
from django.utils import timezone

from customers.models import Customer
from marketing.core import clock, events
from marketing.core.errors import Conflict, Forbidden, ValidationFailed
from marketing.core.models import AuditEntry, DomainEvent
from marketing.core.services import create_tenant
from marketing.core.tenancy import tenant_scope
from marketing.segments import services, tasks, usage
from marketing.segments.models import MembershipChange, Segment, SegmentMember, SegmentType
from tests.factories.core import Chain
from tests.factories.customers import CustomerFactory
from tests.factories.segments import SegmentFactory, StaticSegmentFactory, group, where

COMERS = where("visit_count", "gte", 1)


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something listens to segments."""
    monkeypatch.setattr(events, "has_subscribers", lambda name: name.startswith("segment."))


def ids(*names: str) -> list[uuid.UUID]:
    return list(Customer.objects.filter(first_name__in=names).values_list("pk", flat=True))


def members(segment: Segment) -> set[str]:
    return set(segment.members.values_list("customer__first_name", flat=True))


def refresh(chain: Chain, segment: Segment) -> Segment:
    return services.refresh_segment(actor=chain.actor(chain.owner), segment=segment)


def test_a_dynamic_segment_is_counted_when_made(people):
    segment = services.create_segment(
        actor=people.actor(people.owner), name="  Comers ", rules=COMERS
    )
    assert (segment.name, segment.customer_count, segment.branch_ids) == ("Comers", 2, None)
    assert segment.branch_counts == {str(people.north.pk): 1, str(people.south.pk): 1}
    assert segment.count_within([people.north.pk]) == 1
    assert segment.last_refreshed_at is not None
    assert segment.created_by == people.owner.user
    assert not SegmentMember.objects.exists()
    assert AuditEntry.objects.get().action == "segment.create"


def test_a_branch_manager_s_segment_is_of_their_branches(people):
    actor = people.actor(people.manager)
    segment = services.create_segment(actor=actor, name="Mine", rules=COMERS)
    assert (segment.branch_ids, segment.customer_count) == ([people.north.pk], 1)
    with pytest.raises(ValidationFailed) as caught:
        services.create_segment(
            actor=actor, name="Theirs", rules=COMERS, branch_ids=[people.south.pk]
        )
    assert list(caught.value.fields) == ["branchIds"]
    assert Segment.objects.count() == 1


def test_a_static_segment_keeps_its_people(people):
    segment = services.create_segment(
        actor=people.actor(people.owner), name="Listed", customer_ids=ids("north", "never")
    )
    assert (segment.is_dynamic, segment.customer_count) == (False, 2)
    assert members(segment) == {"north", "never"}
    kept = set(segment.members.filter(customer__first_name="north").values_list("pk"))
    changed = services.update_segment(
        actor=people.actor(people.owner),
        segment=segment,
        values={"customer_ids": ids("north", "south")},
    )
    assert members(changed) == {"north", "south"}
    assert set(segment.members.filter(customer__first_name="north").values_list("pk")) == kept


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"name": " ", "rules": COMERS}, "name"),
        ({"name": "x" * 101, "rules": COMERS}, "name"),
        ({"name": "x", "rules": COMERS, "description": "x" * 2001}, "description"),
        ({"name": "x", "rules": where("no", "eq", 1)}, "rules.conditions.0.field"),
        ({"name": "x", "rules": {}}, "rules.operator"),
        ({"name": "x"}, "rules"),
        ({"name": "x", "rules": COMERS, "customer_ids": []}, "rules"),
        ({"name": "x", "customer_ids": []}, "customerIds"),
        ({"name": "x", "customer_ids": [uuid.UUID(int=5)]}, "customerIds.0"),
        ({"name": "x", "customer_ids": [uuid.UUID(int=5)] * 10_001}, "customerIds"),
        ({"name": "x", "rules": COMERS, "branch_ids": []}, "branchIds"),
        ({"name": "x", "rules": COMERS, "branch_ids": [uuid.UUID(int=5)]}, "branchIds"),
    ],
)
def test_bad_input_makes_nothing(people, values, path):
    with pytest.raises(ValidationFailed) as caught:
        services.create_segment(actor=people.actor(people.owner), **values)
    assert path in caught.value.fields
    assert not Segment.objects.exists()
    assert not AuditEntry.objects.exists()


def test_static_members_come_from_one_s_own_branches(people):
    with pytest.raises(ValidationFailed) as caught:
        services.create_segment(
            actor=people.actor(people.manager), name="x", customer_ids=ids("north", "south")
        )
    assert len(caught.value.fields) == 1


def test_receptionists_change_nothing(people):
    segment = SegmentFactory(branch_ids=[people.north.pk])
    actor = people.actor(people.receptionist)
    for act in (
        lambda: services.create_segment(actor=actor, name="x", rules=COMERS),
        lambda: services.update_segment(actor=actor, segment=segment, values={"name": "x"}),
        lambda: services.delete_segment(actor=actor, segment=segment),
        lambda: services.copy_segment(actor=actor, segment=segment),
        lambda: services.refresh_segment(actor=actor, segment=segment),
    ):
        with pytest.raises(Forbidden):
            act()
    assert Segment.objects.get().name == segment.name


def test_changing_counts_again_and_moves_the_version(people):
    segment = SegmentFactory()
    changed = services.update_segment(
        actor=people.actor(people.owner),
        segment=segment,
        values={"rules": where("visit_count", "eq", 0), "name": "Never"},
        version=1,
    )
    assert (changed.version, changed.customer_count, changed.name) == (2, 1, "Never")
    with pytest.raises(Conflict) as caught:
        services.update_segment(
            actor=people.actor(people.owner), segment=segment, values={"name": "x"}, version=1
        )
    assert caught.value.details == {"current": 2}


def test_nothing_changed_keeps_the_version(people):
    segment = SegmentFactory()
    same = services.update_segment(
        actor=people.actor(people.owner), segment=segment, values={"name": segment.name}
    )
    assert same.version == 1
    assert not AuditEntry.objects.exists()


def test_the_kind_of_a_segment_stays(people):
    owner = people.actor(people.owner)
    with pytest.raises(ValidationFailed):
        services.update_segment(
            actor=owner, segment=SegmentFactory(), values={"customer_ids": ids("north")}
        )
    with pytest.raises(ValidationFailed):
        services.update_segment(
            actor=owner, segment=StaticSegmentFactory(), values={"rules": COMERS}
        )


def test_a_segment_cannot_come_to_contain_itself(people):
    owner = people.actor(people.owner)
    first = SegmentFactory(name="First")
    second = SegmentFactory(
        name="Second", rules=group("AND", {"segment": str(first.pk), "op": "in"})
    )
    for target in (first, second):
        with pytest.raises(ValidationFailed) as caught:
            services.update_segment(
                actor=owner,
                segment=first,
                values={"rules": group("AND", {"segment": str(target.pk), "op": "in"})},
            )
        assert list(caught.value.fields) == ["rules.conditions.0.segment"]
    first.refresh_from_db()
    assert first.version == 1


def test_what_reaches_beyond_one_s_branches_is_copied_not_changed(people):
    chain_wide = SegmentFactory(name="Chain")
    actor = people.actor(people.manager)
    with pytest.raises(Forbidden):
        services.update_segment(actor=actor, segment=chain_wide, values={"name": "x"})
    copy = services.copy_segment(actor=actor, segment=chain_wide)
    assert (copy.name, copy.branch_ids, copy.customer_count) == (
        "Chain (copy)",
        [people.north.pk],
        1,
    )


def test_a_copy_of_a_list_holds_its_people(people):
    listed = StaticSegmentFactory(
        members=Customer.objects.filter(first_name__in=["north", "south"])
    )
    copy = services.copy_segment(actor=people.actor(people.manager), segment=listed, name="Own")
    assert (copy.name, members(copy)) == ("Own", {"north"})


def test_built_in_segments(people):
    services.ensure_system_segments()
    services.ensure_system_segments()
    segments = {s.name: s for s in Segment.objects.filter(segment_type=SegmentType.SYSTEM)}
    assert len(segments) == 54
    repeat = segments["Repeat Customers"]
    owner = people.actor(people.owner)
    with pytest.raises(Conflict):
        services.update_segment(actor=owner, segment=repeat, values={"name": "x"})
    with pytest.raises(Conflict):
        services.delete_segment(actor=owner, segment=repeat)
    copy = services.copy_segment(actor=owner, segment=repeat)
    assert (copy.segment_type, copy.rules) == (SegmentType.CUSTOM, repeat.rules)
    Segment.objects.filter(pk=repeat.pk).update(rules=COMERS)
    services.ensure_system_segments()
    repeat.refresh_from_db()
    assert repeat.rules == where("visit_count", "gt", 1)


def test_all_segments_are_counted_in_one_pass(people, django_assert_max_num_queries):
    services.ensure_system_segments()
    static = StaticSegmentFactory(members=Customer.objects.filter(first_name="never"))
    broken = SegmentFactory(rules=where("attribute.gone", "eq", "x"), customer_count=9)
    apart = 23  # what asks other tables is counted by itself
    # Segments, chain, zones, attributes; number, dynamic and static counts; locks, what was
    # counted, its history; savepoint; old changes and old history.
    with django_assert_max_num_queries(apart + 16):
        assert services.refresh_all() == 55
    counts = dict(Segment.objects.values_list("name", "customer_count"))
    assert counts["Repeat Customers"] == 2
    assert counts["New Customers"] == 0
    assert counts[static.name] == 1
    assert counts[broken.name] == 9


def test_a_count_by_older_rules_is_dropped(people):
    segment = SegmentFactory()
    stale = Segment.objects.get(pk=segment.pk)
    services.update_segment(
        actor=people.actor(people.owner),
        segment=segment,
        values={"rules": where("visit_count", "eq", 0)},
    )
    assert refresh(people, stale).customer_count == 1


def test_deleting(people):
    owner = people.actor(people.owner)
    used = SegmentFactory(name="Used")
    user = SegmentFactory(name="User", rules=group("NOT", {"segment": str(used.pk), "op": "in"}))
    with pytest.raises(Conflict) as caught:
        services.delete_segment(actor=owner, segment=used)
    assert [use["name"] for use in caught.value.details["usedBy"]] == ["User"]
    services.delete_segment(actor=owner, segment=user)
    services.delete_segment(actor=owner, segment=used)
    assert not Segment.objects.filter(is_active=True).exists()


@pytest.fixture
def campaign_using(monkeypatch: pytest.MonkeyPatch) -> list[Segment]:
    used: list[Segment] = []

    def users(segment: Segment) -> list[usage.Use]:
        return [usage.Use("Campaign", "Diwali", "/c")] if segment in used else []

    monkeypatch.setattr(usage, "_registered", [users])
    return used


def test_upper_apps_hold_a_segment(people, campaign_using):
    segment = SegmentFactory()
    campaign_using.append(segment)
    with pytest.raises(Conflict, match="Diwali"):
        services.delete_segment(actor=people.actor(people.owner), segment=segment)
    assert Segment.objects.get().is_active


def test_nobody_follows_so_no_rows_and_no_events(people):
    refresh(people, SegmentFactory())
    assert not SegmentMember.objects.exists()
    assert not DomainEvent.objects.exists()


def test_who_enters_and_leaves_is_told_once(people, followed):
    segment = refresh(people, SegmentFactory())
    assert members(segment) == {"north", "south"}
    first = DomainEvent.objects.get()
    assert (first.name, first.payload["count"]) == ("segment.entered", 2)
    refresh(people, segment)
    assert DomainEvent.objects.count() == 1
    north, never = (Customer.objects.get(first_name=name) for name in ("north", "never"))
    north.facts.visit_count = 0
    north.facts.save()
    never.facts.visit_count = 1
    never.facts.save()
    refresh(people, segment)
    assert members(segment) == {"south", "never"}
    entered, left = DomainEvent.objects.order_by("pk")[1:]
    assert (entered.name, left.name) == ("segment.entered", "segment.left")
    assert entered.payload["batchId"] == left.payload["batchId"]
    changes = MembershipChange.objects.filter(batch_id=entered.payload["batchId"])
    assert dict(changes.values_list("customer_id", "entered")) == {north.pk: False, never.pk: True}


def test_old_changes_are_forgotten(people, followed, monkeypatch):
    refresh(people, SegmentFactory())
    services.refresh_all()
    assert MembershipChange.objects.count() == 2
    later = timezone.now() + dt.timedelta(days=8)
    monkeypatch.setattr(clock, "now", lambda: later)
    services.refresh_all()
    assert not MembershipChange.objects.exists()


def test_a_new_chain_begins_with_the_built_in_segments(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks():
        tenant, _owner = create_tenant(
            name="New",
            slug="new",
            owner_name="Owner",
            owner_username="owner-of-new",
            owner_email="o@example.com",
            owner_password="correct horse battery",
        )
    events.deliver_due()
    with tenant_scope(tenant.pk):
        assert Segment.objects.filter(segment_type=SegmentType.SYSTEM).count() == 54


def test_the_sweep_covers_every_chain(people, other_chain, monkeypatch):
    CustomerFactory(facts={"visit_count": 1})
    monkeypatch.setattr(tasks.refresh_tenant_segments, "delay", tasks.refresh_tenant_segments)
    tasks.refresh_all_segments()
    assert Segment.objects.get(name="New Customers").customer_count == 1
    with tenant_scope(other_chain.tenant.pk):
        assert Segment.objects.get(name="New Customers").customer_count == 0


def test_the_command_makes_and_counts(people, capsys):
    call_command("ensure_system_segments")
    assert Segment.objects.get(name="Repeat Customers").customer_count == 2
    assert ": 54 segments" in capsys.readouterr().out


def test_the_admin_renames_by_the_service(people, login):
    segment = SegmentFactory(name="Old", rules=COMERS)
    client = login("owner")
    page = f"/admin/segments/segment/{segment.pk}/change/"
    assert client.get(page).status_code == 200
    client.post(page, {"name": "New", "description": ""})
    segment.refresh_from_db()
    assert (segment.name, segment.version) == ("New", 2)
    assert AuditEntry.objects.filter(action="segment.update").count() == 1
    for url in ("segment", "segmentmember", "membershipchange"):
        assert client.get(f"/admin/segments/{url}/").status_code == 200
