"""Entering, mending, erasing and exporting people, and their addresses."""

import datetime as dt

import pytest

from customers import person_data, selectors, services
from customers.models import (
    AttributeDefinition,
    ContactPoint,
    Customer,
    CustomerEvent,
    CustomerNote,
    Suppression,
)
from marketing.core.errors import Conflict, NotFound, ValidationFailed
from marketing.core.models import AuditEntry, DomainEvent
from marketing.core.tenancy import tenant_scope
from tests.factories.customers import CustomerFactory, PurchaseFactory, VisitFactory


def enter(actor, source="staff", **values):
    return services.create_customer(
        actor=actor, values={"first_name": "Asha"} | values, source=source
    )


def points_of(customer):
    return set(customer.contact_points.values_list("kind", "value", "is_primary"))


def test_a_customer_is_entered_with_everything_that_belongs_to_her(manager, chain):
    asha = enter(
        manager,
        first_name="  Asha ",
        last_name="Sharma",
        phone="098765 43210",
        email="Asha@Example.com",
        tags=["VIP", "vip"],
        birth_date=dt.date(1990, 5, 1),
    )
    asha = selectors.get_customer_for_actor(manager, asha.pk)
    assert asha.name == "Asha Sharma"
    assert (asha.phone, asha.email) == ("+919876543210", "asha@example.com")
    assert asha.tags == ["VIP"]
    assert asha.home_branch == chain.north, "the only branch of who entered her"
    assert asha.facts.visit_count == 0
    assert not asha.consent.marketing_opted_out
    assert points_of(asha) == {
        ("phone", "+919876543210", True),
        ("email", "asha@example.com", True),
    }
    assert AuditEntry.objects.get().action == "customer.create"
    event = DomainEvent.objects.get(name="customer.created")
    assert event.payload == {"customerId": str(asha.pk), "source": "staff"}


@pytest.mark.parametrize("name", ["आशा", "💇‍♀️ Asha", "Ñandú", "O'Neil <b>"])
def test_names_of_any_script_are_kept_as_written(manager, name):
    assert Customer.objects.get(pk=enter(manager, first_name=name).pk).first_name == name


def test_two_people_may_share_a_phone(manager):
    mother, daughter = (enter(manager, phone="98765 43210") for _ in range(2))
    found = selectors.customers_with_address("phone", "+919876543210")
    assert list(found) == [mother, daughter]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"phone": "12"}, "phone"),
        ({"email": "asha"}, "email"),
        ({"first_name": " "}, "first_name"),
        ({"first_name": "x" * 101}, "first_name"),
        ({"language": "fr"}, "language"),
        ({"preferred_channel": "fax"}, "preferred_channel"),
        ({"gender": "robot"}, "gender"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"attributes": {"shoe": "38"}}, "attributes.shoe"),
        ({"attributes": {"skin": "green"}}, "attributes.skin"),
        ({"status": "erased"}, "status"),
    ],
)
def test_bad_values_are_refused_whole(manager, values, field):
    AttributeDefinition.objects.create(
        key="skin", label="Skin", type="choice", choices=["dry", "oily"]
    )
    with pytest.raises(ValidationFailed) as refused:
        enter(manager, **values)
    assert list(refused.value.fields) == [field]
    assert not Customer.objects.exists()
    assert not DomainEvent.objects.exists()


def test_every_fault_is_told_at_once(manager):
    with pytest.raises(ValidationFailed) as refused:
        enter(manager, phone="12", email="asha", language="fr")
    assert set(refused.value.fields) == {"phone", "email", "language"}


def test_somebody_elses_branch_is_refused(manager, chain):
    with pytest.raises(ValidationFailed) as refused:
        enter(manager, home_branch=chain.south)
    assert list(refused.value.fields) == ["home_branch"]


def test_the_other_systems_number_is_one_persons(manager):
    enter(manager, external_id="C-1")
    with pytest.raises(ValidationFailed) as refused:
        enter(manager, external_id="C-1")
    assert list(refused.value.fields) == ["external_id"]
    assert Customer.objects.count() == 1


def test_a_change_is_audited_told_and_counted(manager, chain):
    asha = enter(manager, phone="98765 43210")
    services.update_customer(actor=manager, customer=asha, values={"phone": "98765 43211"})
    asha.refresh_from_db()
    assert (asha.phone, asha.version) == ("+919876543211", 2)
    assert points_of(asha) == {("phone", "+919876543211", True)}
    entry = AuditEntry.objects.get(action="customer.update")
    assert entry.changes == {"phone": ["+919876543210", "+919876543211"]}
    event = DomainEvent.objects.get(name="customer.updated")
    assert event.payload == {"customerId": str(asha.pk), "fields": ["phone"]}


def test_saving_without_a_change_does_nothing(manager):
    asha = enter(manager, phone="98765 43210")
    services.update_customer(actor=manager, customer=asha, values={"phone": "+91 98765 43210"})
    asha.refresh_from_db()
    assert asha.version == 1
    assert not AuditEntry.objects.filter(action="customer.update").exists()


def test_a_stale_version_is_refused(manager):
    asha = enter(manager)
    services.update_customer(actor=manager, customer=asha, values={"last_name": "A"}, version=1)
    with pytest.raises(Conflict) as refused:
        services.update_customer(actor=manager, customer=asha, values={"last_name": "B"}, version=1)
    assert refused.value.details == {"current": {"version": 2}}
    asha.refresh_from_db()
    assert asha.last_name == "A"


def test_a_customer_of_another_branch_keeps_her_branch_when_others_mend_her(manager, chain):
    asha = CustomerFactory(home_branch=chain.south)
    services.update_customer(
        actor=manager,
        customer=asha,
        values={"last_name": "Rao", "home_branch": chain.south},
    )
    asha.refresh_from_db()
    assert (asha.last_name, asha.home_branch) == ("Rao", chain.south)


def test_attributes_are_merged_by_key(manager):
    for key in ("skin", "hair"):
        AttributeDefinition.objects.create(key=key, label=key, type="text")
    asha = enter(manager, attributes={"skin": "dry", "hair": "curly"})
    services.update_customer(
        actor=manager, customer=asha, values={"attributes": {"skin": None, "hair": "wavy"}}
    )
    asha.refresh_from_db()
    assert asha.attributes == {"hair": "wavy"}


def test_another_address_is_noted_once_and_can_become_the_primary_one(manager):
    asha = enter(manager, phone="98765 43210")
    for _ in range(2):
        services.add_contact_point(
            actor=manager, customer=asha, kind=ContactPoint.Kind.PHONE, value="98765 43299"
        )
    assert points_of(asha) == {
        ("phone", "+919876543210", True),
        ("phone", "+919876543299", False),
    }
    assert list(selectors.customers_with_address("phone", "+919876543299")) == [asha]
    services.update_customer(actor=manager, customer=asha, values={"phone": "98765 43299"})
    assert points_of(asha) == {("phone", "+919876543299", True)}


def test_a_malformed_other_address_is_refused(manager):
    asha = enter(manager)
    with pytest.raises(ValidationFailed):
        services.add_contact_point(actor=manager, customer=asha, kind="email", value="asha@")
    assert points_of(asha) == set()


def test_notes_need_words(manager):
    asha = enter(manager)
    with pytest.raises(ValidationFailed):
        services.add_note(actor=manager, customer=asha, text="  ")
    note = services.add_note(actor=manager, customer=asha, text=" likes chai ")
    assert (note.text, note.author) == ("likes chai", manager.staff)


def test_look_up_is_chain_wide_and_lists_are_not(manager, chain):
    here = CustomerFactory(home_branch=chain.north)
    there = CustomerFactory(home_branch=chain.south)
    nowhere = CustomerFactory()
    assert set(selectors.customers_for_actor(manager)) == {here, there, nowhere}
    assert set(selectors.branch_customers(manager)) == {here}
    assert set(selectors.branch_customers(chain.actor(chain.owner))) == {here, there, nowhere}
    assert selectors.get_customer_for_actor(manager, there.pk) == there


def test_another_tenants_customer_does_not_exist(manager, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = CustomerFactory()
    with pytest.raises(NotFound):
        selectors.get_customer_for_actor(manager, theirs.pk)


@pytest.fixture
def kept_above(monkeypatch):
    erased = []
    holding = person_data.Holding("messages", lambda customer: ["hello"], erased.append)
    monkeypatch.setattr(person_data, "_holdings", [holding])
    return erased


def test_erasing_blanks_the_person_and_keeps_the_numbers(manager, chain, kept_above):
    asha = enter(manager, last_name="Sharma", phone="98765 43210", email="asha@example.com")
    services.record_consent(
        actor=manager, customer=asha, changes={"sms_consent": True}, source="staff"
    )
    services.add_note(actor=manager, customer=asha, text="allergic to henna")
    new_year = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    quiz = services.ReportedEvent("1", "quiz", asha.pk, new_year, {"answer": "her street"})
    services.record_events(actor=manager, events=[quiz])
    bill = PurchaseFactory(customer=asha, branch=chain.north)
    services.erase_customer(actor=manager, customer=asha)

    gone = Customer.objects.get(pk=asha.pk)
    assert gone.status == Customer.Status.ERASED
    assert (gone.last_name, gone.phone, gone.email, gone.tags) == ("", "", "", [])
    assert not gone.contact_points.exists()
    assert not CustomerNote.objects.exists()
    assert CustomerEvent.objects.get().properties == {}
    assert gone.purchases.get() == bill
    assert kept_above == [gone]
    assert [line.state for line in gone.consent_records.order_by("id")] == [
        "granted",
        "withdrawn",
        "opted_out",
    ]
    assert set(Suppression.objects.values_list("channel", "reason")) == {
        ("whatsapp", "opted_out"),
        ("sms", "opted_out"),
        ("email", "opted_out"),
    }
    trail = AuditEntry.objects.filter(object_id=asha.pk)
    assert "customer.erase" in {entry.action for entry in trail}
    assert "+919876543210" not in str([entry.changes for entry in trail])
    assert DomainEvent.objects.filter(name="customer.erased").count() == 1
    with pytest.raises(NotFound):
        selectors.get_customer_for_actor(manager, asha.pk)


def test_nobody_is_erased_twice(manager):
    asha = enter(manager)
    services.erase_customer(actor=manager, customer=asha)
    with pytest.raises(Conflict):
        services.erase_customer(actor=manager, customer=asha)


def test_an_export_holds_all_that_is_kept(manager, chain, kept_above):
    asha = enter(manager, phone="98765 43210")
    VisitFactory(customer=asha, branch=chain.north)
    PurchaseFactory(customer=asha, branch=chain.north)
    services.add_note(actor=manager, customer=asha, text="likes chai")
    data = services.export_customer(actor=manager, customer=asha)
    assert data["customer"]["phone"] == "+919876543210"
    assert data["contactPoints"][0]["value"] == "+919876543210"
    assert data["purchases"][0]["total"] == "1000.00"
    lengths = {name: len(data[name]) for name in ("visits", "notes", "purchaseLines", "events")}
    assert lengths == {"visits": 1, "notes": 1, "purchaseLines": 1, "events": 0}
    assert data["messages"] == ["hello"]
    assert AuditEntry.objects.filter(action="customer.export").exists()
