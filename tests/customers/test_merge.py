"""Two customers become one, and apart again."""

import datetime as dt

import pytest
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone

from customers import facts, links, merging, selectors, services
from customers.models import (
    ConsentRecord,
    ConsentState,
    Customer,
    CustomerEvent,
    CustomerFacts,
    CustomerMerge,
    DuplicatePair,
    MessageTopic,
    TopicRefusal,
)
from marketing.core.errors import Conflict, Forbidden, ValidationFailed
from marketing.core.models import AuditEntry, DomainEvent
from marketing.delivery.models import ContactLoad, Engagement
from marketing.policy.models import HoldoutMember
from marketing.segments.models import Segment, SegmentMember
from tests.factories.customers import (
    CustomerFactory,
    MembershipFactory,
    PackageFactory,
    PurchaseFactory,
    VisitFactory,
)


def merge(actor, keep, other, **choices):
    return services.merge_customers(actor=actor, keep=keep, other=other, choices=choices)


def consent_of(customer):
    return ConsentState.objects.get(customer=customer)


def everything_of(*people):
    """Every row of every table that names one of them, but for what only notes that it changed."""
    noted = {"updated_at", "version", "computed_at", "search_name"}
    ids = [one.pk for one in people]
    rows = {}
    for name in [*(held.name for held in merging.holdings()), *merging.left()]:
        label, _, column = name.rpartition(".")
        model = apps.get_model(label)
        if model._meta.model_name in ("customermerge", "duplicatepair", "stalefacts"):
            continue
        for row in model.objects.filter(**{f"{column}__in": ids}).values():
            rows[name, row["id"]] = {k: v for k, v in row.items() if k not in noted}
    for one in Customer.objects.filter(pk__in=ids).values():
        rows["customer", one["id"]] = {k: v for k, v in one.items() if k not in noted}
    return rows


@pytest.fixture
def asha(chain):
    return CustomerFactory(
        first_name="Asha",
        phone="+919876543210",
        email="",
        tags=["VIP"],
        attributes={"skin": "dry"},
        home_branch=chain.north,
        external_id="C-1",
    )


@pytest.fixture
def aasha(chain):
    return CustomerFactory(
        first_name="Aasha",
        last_name="Sharma Rao",
        phone="+919876543299",
        email="asha@example.com",
        birth_date=dt.date(1990, 5, 1),
        tags=["vip", "bride"],
        attributes={"skin": "oily", "hair": "curly"},
        home_branch=chain.south,
        external_id="C-2",
    )


@pytest.fixture
def busy(asha, aasha, chain, manager):
    """Both with rows in every table that names a customer."""
    for number, one in enumerate((asha, aasha)):
        PurchaseFactory(customer=one, branch=chain.north, visit=None)
        VisitFactory(customer=one, branch=chain.north)
        MembershipFactory(customer=one, external_id=f"M{number}")
        PackageFactory(customer=one, external_id=f"P{number}")
        services.add_note(actor=manager, customer=one, text="likes chai")
        services.record_consent(
            actor=manager, customer=one, changes={"sms_service": False}, source="staff"
        )
        quiz = services.ReportedEvent(f"E{number}", "quiz", one.pk, timezone.now(), {})
        services.record_events(actor=manager, events=[quiz])
        Engagement.objects.create(
            kind="click", message_id=one.pk, customer=one, run_id=one.pk, link_id=1
        )
        ContactLoad.objects.create(
            customer=one, sent=[timezone.now() - dt.timedelta(days=number + 1)]
        )
    static = Segment.objects.create(name="Brides", is_dynamic=False)
    both = Segment.objects.create(name="Friends", is_dynamic=False)
    SegmentMember.objects.create(segment=static, customer=aasha)
    for one in (asha, aasha):
        SegmentMember.objects.create(segment=both, customer=one)
    HoldoutMember.objects.create(customer=aasha)
    topic = MessageTopic.objects.create(name="Offers")
    TopicRefusal.objects.create(customer=aasha, topic=topic)
    services.add_contact_point(actor=manager, customer=aasha, kind="phone", value="98765 43288")
    facts.rebuild_all()


def test_everything_is_the_survivors(asha, aasha, busy, manager):
    merge(manager, asha, aasha)
    for related in ("visits", "purchases", "memberships", "packages", "notes", "consent_records"):
        assert getattr(asha, related).count() == 2, related
        assert not getattr(aasha, related).exists(), related
    assert CustomerEvent.objects.filter(customer=asha).count() == 2
    assert Engagement.objects.filter(customer=asha).count() == 2
    assert len(ContactLoad.objects.get(customer=asha).sent) == 2
    assert SegmentMember.objects.filter(customer=asha).count() == 2
    assert HoldoutMember.objects.get().customer == asha
    assert TopicRefusal.objects.get().customer == asha
    facts.refresh_stale_facts()
    counts = dict(CustomerFacts.objects.values_list("customer_id", "visit_count"))
    assert counts == {asha.pk: 2, aasha.pk: 0}


def test_values_come_from_whom_staff_chose_and_what_is_empty_is_filled(asha, aasha, manager):
    merge(manager, asha, aasha, last_name="other", **{"attributes.skin": "other"})
    asha.refresh_from_db()
    assert (asha.name, asha.phone) == ("Asha Sharma Rao", "+919876543210")
    assert (asha.email, asha.birth_date) == ("asha@example.com", dt.date(1990, 5, 1))
    assert asha.tags == ["VIP", "bride"]
    assert asha.attributes == {"skin": "oily", "hair": "curly"}
    assert set(asha.contact_points.values_list("kind", "value", "is_primary")) == {
        ("phone", "+919876543210", True),
        ("phone", "+919876543299", False),
        ("email", "asha@example.com", True),
    }


def test_the_other_phone_can_be_the_first_one(asha, aasha, manager):
    merge(manager, asha, aasha, phone="other")
    asha.refresh_from_db()
    assert asha.phone == "+919876543299"
    primary = asha.contact_points.get(kind="phone", is_primary=True)
    assert primary.value == "+919876543299"


def test_who_names_the_other_finds_the_survivor(asha, aasha, manager, chain):
    merge(manager, asha, aasha)
    assert selectors.get_customer_for_actor(manager, aasha.pk) == asha
    token = links.unsubscribe_token(links.Unsubscribe(chain.tenant.pk, aasha.pk))
    services.opt_out_by_link(link=links.read_unsubscribe_token(token))
    assert consent_of(asha).marketing_opted_out
    bill = services.record_visit(
        actor=manager, customer=aasha, branch=chain.north, visited_at=timezone.now()
    )
    assert bill.customer_id == asha.pk
    services.set_dnd_for_many(actor=manager, customer_ids=[aasha.pk], source="provider")
    assert consent_of(asha).is_dnd
    aasha.refresh_from_db()
    assert (aasha.status, aasha.external_id, aasha.phone) == ("merged", "C-2", "")


def test_those_merged_before_are_found_as_the_last_survivor(asha, aasha, manager):
    first = CustomerFactory()
    merge(manager, aasha, first)
    merge(manager, asha, aasha)
    assert selectors.get_customer_for_actor(manager, first.pk) == asha


@pytest.mark.parametrize("refuser", ["keep", "other"])
def test_consent_is_the_stricter_of_both(chain, manager, refuser):
    refused = {
        "whatsapp_promotional": False,
        "marketing_opted_out": True,
        "is_dnd": True,
        "weekly_limit": 1,
    }
    keep, other = (
        CustomerFactory(consent=refused if refuser == one else {"weekly_limit": 3})
        for one in ("keep", "other")
    )
    merge(manager, keep, other)
    state = consent_of(keep)
    assert not state.whatsapp_promotional
    assert state.whatsapp_service
    assert state.marketing_opted_out
    assert state.is_dnd
    assert state.weekly_limit == 1
    lines = keep.consent_records.filter(source="merge").count()
    assert lines == (3 if refuser == "other" else 0)


def test_what_was_assumed_of_one_is_only_assumed_of_both(chain, manager):
    keep, other = CustomerFactory(), CustomerFactory(consent={"sms_basis": "assumed"})
    merge(manager, keep, other)
    assert (consent_of(keep).sms_basis, consent_of(keep).email_basis) == ("assumed", "explicit")


def test_nothing_more_is_sent_to_the_row_that_was_merged(asha, aasha, manager):
    merge(manager, asha, aasha)
    state = consent_of(aasha)
    assert state.marketing_opted_out
    assert not state.whatsapp_promotional


def test_undoing_restores_both_exactly(asha, aasha, busy, manager):
    before = everything_of(asha, aasha)
    made = merge(manager, asha, aasha, phone="other", first_name="other")
    assert everything_of(asha, aasha) != before
    services.undo_merge(actor=manager, merge=made)
    facts.refresh_stale_facts()
    after = everything_of(asha, aasha)
    said = ConsentRecord.objects.filter(source__in=("merge", "separation"))
    for pk in said.values_list("pk", flat=True):
        del after["customers.ConsentRecord.customer", pk]
    assert after == before


def test_what_came_since_stays_with_the_survivor(asha, aasha, chain, manager):
    made = merge(manager, asha, aasha)
    visit = services.record_visit(
        actor=manager, customer=aasha, branch=chain.north, visited_at=timezone.now()
    )
    services.update_customer(
        actor=manager,
        customer=asha,
        values={"email": "new@example.com", "tags": ["VIP", "bride", "new"]},
    )
    services.undo_merge(actor=manager, merge=made)
    visit.refresh_from_db()
    asha.refresh_from_db()
    aasha.refresh_from_db()
    assert visit.customer == asha
    assert (asha.email, asha.birth_date, asha.tags) == ("new@example.com", None, ["VIP", "new"])
    assert (aasha.status, aasha.email, aasha.merged_into) == ("active", "asha@example.com", None)


def test_a_refusal_said_meanwhile_holds_for_both(manager):
    keep, other = CustomerFactory(), CustomerFactory(consent={"email_promotional": False})
    made = merge(manager, keep, other)
    services.record_consent(
        actor=manager, customer=keep, changes={"sms_consent": False}, source="staff"
    )
    services.undo_merge(actor=manager, merge=made)
    assert consent_of(keep).email_promotional, "it was only the other's refusal"
    for one in (keep, other):
        assert not consent_of(one).sms_promotional
        assert consent_of(one).whatsapp_promotional


def test_a_refusal_that_the_merge_had_brought_already_is_hers_too_once_she_says_it(manager):
    keep = CustomerFactory()
    other = CustomerFactory(consent={"marketing_opted_out": True, "sms_promotional": False})
    made = merge(manager, keep, other)
    services.opt_out(actor=manager, customer=keep, source="unsubscribe_link")
    services.withdraw_for_many(
        actor=manager,
        customer_ids=[keep.pk],
        channel="sms",
        purpose="promotional",
        source="provider",
    )
    services.undo_merge(actor=manager, merge=made)
    assert consent_of(keep).marketing_opted_out
    assert not consent_of(keep).sms_promotional


def test_merges_are_undone_newest_first(asha, aasha, manager):
    third = CustomerFactory()
    first = merge(manager, asha, aasha)
    second = merge(manager, asha, third)
    with pytest.raises(Conflict):
        services.undo_merge(actor=manager, merge=first)
    services.undo_merge(actor=manager, merge=second)
    services.undo_merge(actor=manager, merge=first)
    assert set(Customer.objects.values_list("status", flat=True)) == {"active"}
    with pytest.raises(Conflict):
        services.undo_merge(actor=manager, merge=first)


def test_after_thirty_days_it_stays(asha, aasha, manager, time_machine):
    made = merge(manager, asha, aasha)
    time_machine.move_to(timezone.now() + dt.timedelta(days=31))
    with pytest.raises(Conflict):
        services.undo_merge(actor=manager, merge=made)
    assert services.forget_old_merges() == 1
    made.refresh_from_db()
    assert made.record == {}


def test_erasing_the_survivor_erases_whom_she_took_in(asha, aasha, manager):
    made = merge(manager, asha, aasha)
    services.erase_customer(actor=manager, customer=asha)
    aasha.refresh_from_db()
    made.refresh_from_db()
    assert (aasha.first_name, aasha.last_name, aasha.external_id) == ("–", "", None)
    assert made.record == {}
    with pytest.raises(Conflict):
        services.undo_merge(actor=manager, merge=made)


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"phone": "both"}, "phone"),
        ({"status": "other"}, "status"),
        ({"attributes.x": "other"}, "attributes.x"),
    ],
)
def test_a_strange_choice_is_refused_whole(asha, aasha, manager, choices, field):
    with pytest.raises(ValidationFailed) as refused:
        merge(manager, asha, aasha, **choices)
    assert list(refused.value.fields) == [field]
    assert not CustomerMerge.objects.exists()
    assert not DomainEvent.objects.filter(name="customer.merged").exists()


def test_nobody_is_merged_with_herself_or_twice(asha, aasha, manager):
    with pytest.raises(ValidationFailed):
        merge(manager, asha, asha)
    merge(manager, asha, aasha)
    for keep, other in ((asha, aasha), (aasha, asha)):
        with pytest.raises(Conflict):
            merge(manager, keep, other)


def test_receptionists_do_not_merge(asha, aasha, chain):
    with pytest.raises(Forbidden):
        merge(chain.actor(chain.receptionist), asha, aasha)


def test_it_is_audited_and_told(asha, aasha, manager):
    made = merge(manager, asha, aasha)
    services.undo_merge(actor=manager, merge=made)
    trail = AuditEntry.objects.filter(object_id=asha.pk).values_list("action", flat=True)
    assert {"customer.merge", "customer.separate"} <= set(trail)
    for name in ("customer.merged", "customer.separated"):
        payload = DomainEvent.objects.get(name=name).payload
        assert payload == {"customerId": str(asha.pk), "mergedId": str(aasha.pk)}
    assert DuplicatePair.objects.get().dismissed_at, "they are not suggested again"


def test_every_table_that_names_a_customer_takes_part_or_says_why_not():
    taking_part = {held.name for held in merging.holdings()} | merging.left().keys()
    naming = set()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            is_key = isinstance(field, models.ForeignKey) and field.related_model is Customer
            if is_key or field.name in ("customer_id", "customer_ids"):
                naming.add(f"{model._meta.label}.{field.name}")
    unnamed = sorted(naming - taking_part)
    assert not unnamed, f"{unnamed}: register it with customers.merging, or leave() it"
    for name in taking_part:
        label, _, field = name.rpartition(".")
        try:
            apps.get_model(label)._meta.get_field(field)
        except (LookupError, FieldDoesNotExist):
            pytest.fail(f"{name} is gone: strike it from customers.merging")
