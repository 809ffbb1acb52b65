"""Events of other modules: taken once, by sets, the bad ones named and the good ones kept."""

import datetime as dt
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_bridge import services
from billing_bridge.models import RawPerson, RawRow
from customers import facts
from customers.models import (
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    CustomerEvent,
    CustomerFacts,
    Membership,
    Package,
    StaleFacts,
    Visit,
)
from customers.services import opt_out, record_purchase
from marketing.core import clock
from marketing.core import events as domain_events
from marketing.core.models import DomainEvent
from marketing.core.tenancy import tenant_scope
from marketing.loyalty.selectors import balance
from marketing.segments.models import StaleMember
from marketing.segments.services import recheck
from tests.billing_bridge.conftest import AT, event
from tests.factories.core import BranchFactory
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import make_programme


def fields_of(answer):
    return {error["index"]: sorted(error["fields"]) for error in answer["errors"]}


def test_a_stranger_with_a_name_is_entered_once(send, chain):
    answer = send(event("1"), event("2"), event("3", customer={"phone": "98111 00001"}))
    assert answer == {"accepted": 3, "duplicates": [], "errors": []}
    asha = Customer.objects.get()
    assert (asha.first_name, asha.last_name, asha.source) == ("Asha", "Rao", "api")
    assert ContactPoint.objects.get().value == "+919811100001"
    assert {each.customer_id for each in CustomerEvent.objects.all()} == {asha.pk}
    assert CustomerFacts.objects.filter(customer=asha).exists()
    assert RawPerson.objects.get().customer_id == asha.pk


def test_the_same_call_again_changes_nothing(send, chain):
    call = [event("1", "visit.completed", properties={"branchCode": chain.north.code})]
    assert send(*call, *call) == {"accepted": 1, "duplicates": ["1"], "errors": []}
    assert send(*call) == {"accepted": 0, "duplicates": ["1"], "errors": []}
    assert Visit.objects.count() == Customer.objects.count() == CustomerEvent.objects.count() == 1
    assert RawRow.objects.filter(state="applied").count() == 2


def test_people_are_found_by_id_number_phone_and_mail(send, chain):
    asha = CustomerFactory(external_id="C-1")
    keys = [
        {"id": str(asha.pk)},
        str(asha.pk),
        {"externalId": "C-1"},
        {"phone": asha.phone},
        {"email": asha.email},
    ]
    answer = send(*(event(str(n), customer=key) for n, key in enumerate(keys)))
    assert answer["accepted"] == 5
    assert {each.customer_id for each in CustomerEvent.objects.all()} == {asha.pk}
    assert Customer.objects.count() == 1


def test_one_who_is_named_by_number_and_by_phone_is_one(send):
    send(
        event("1", customer={"externalId": "C-9", "phone": "9811100009", "name": "आशा"}),
        event("2", customer={"phone": "+919811100009"}),
    )
    assert (Customer.objects.get().first_name, CustomerEvent.objects.count()) == ("आशा", 2)


def test_a_bad_one_is_named_and_the_others_are_taken(send, chain, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        foreign = CustomerFactory().pk
    unzoned = event("7") | {"occurredAt": "2026-05-04T10:00:00"}
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    bad = [
        event(""),
        event("1", ""),
        event("2", customer={"phone": "12"}),
        event("3", customer={"phone": "9811100077"}),
        event("4", customer={"id": str(foreign)}),
        event("5", customer={"name": "Asha"}),
        event("6") | {"extra": 1},
        unzoned,
        event("8") | {"occurredAt": later.isoformat()},
        event("9", "visit.completed", properties={"branchId": str(other_chain.north.pk)}),
        event("a\0"),
        event("b", properties=[1]),
        event("c", properties={"text": "\ud800"}),
        event("d", "membership.sold", properties={"membershipId": "M", "plan": "Gold"}),
        "no event",
        event("e", "visit.completed", properties={"branchCode": chain.north.code, "staffId": "7"}),
        event("f", customer={"phone": "98", "name": "A", "tags": "x", "attributes": {"z": 1}}),
    ]  # fmt: skip
    answer = send(*bad, event("good"))
    assert answer["accepted"] == 1
    assert fields_of(answer) == {
        0: ["id"], 1: ["name"], 2: ["customer.phone"], 3: ["customer"], 4: ["customer.id"],
        5: ["customer"], 6: ["extra"], 7: ["occurredAt"], 8: ["occurredAt"],
        9: ["properties.branchId"], 10: ["id"], 11: ["properties"], 12: [],
        13: ["properties.expiresOn", "properties.startsOn"], 14: [], 15: ["properties.staffId"],
        16: ["customer.attributes.z", "customer.phone", "customer.tags"],
    }  # fmt: skip
    codes = {error["index"]: error["code"] for error in answer["errors"]}
    assert {codes[n] for n in (3, 4, 9)} == {"MARKETING_404"}
    assert {code for n, code in codes.items() if n not in (3, 4, 9)} == {"MARKETING_400"}
    assert CustomerEvent.objects.count() == Customer.objects.count() == 1
    row = RawRow.objects.get()
    assert (row.state, row.error["refused"], row.made["accepted"]) == ("failed", 17, 1)


def test_several_with_one_phone_are_not_guessed_at(send):
    for name in ("Asha", "Ravi"):
        CustomerFactory(first_name=name, last_name="", phone="+919811100001")
    answer = send(event("1", customer={"phone": "+919811100001"}))
    assert (answer["errors"][0]["code"], fields_of(answer)) == (
        "MARKETING_409",
        {0: ["customer.phone"]},
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"events": []}',
        b'{"events": {}}',
        b'{"events": [1], "more": 1}',
        b"\xff",
        b"[" * 100_000,
        json.dumps({"events": [1] * 1001}).encode(),
        b" " * (1024 * 1024) + b'{"events": [1]}',
    ],
    ids=["empty", "list", "cut", "none", "object", "more", "bytes", "deep", "1001", "1 MB"],
)
def test_a_call_that_cannot_be_read_is_refused_whole_and_kept(issue, body):
    response = issue("events").post("/api/v1/events", body, "application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "MARKETING_400")
    row = RawRow.objects.get()
    assert (row.state, bytes(row.body)) == ("failed", body)
    assert not CustomerEvent.objects.exists()


def test_a_heavy_event_and_odd_text(send):
    answer = send(
        event("1", properties={"text": "x" * 65_536}),
        event("2", properties={"text": "नमस्ते ✂ \0 ₹", "deep": {"a": [1, 2.5, None, True]}}),
        event("3", "बुकिंग ✂"),
    )
    assert [error["index"] for error in answer["errors"]] == [0]
    kept = dict(CustomerEvent.objects.values_list("name", "properties"))
    assert kept["quote.sent"]["text"] == "नमस्ते ✂  ₹"
    assert "बुकिंग ✂" in kept


def test_a_visit_is_told_and_makes_facts_and_segments_look_again(send, chain, monkeypatch):
    monkeypatch.setattr(recheck, "is_followed", lambda: True)
    send(event("v1", "visit.completed", properties={"branchId": str(chain.south.pk)}))
    visit = Visit.objects.get()
    assert (visit.branch, visit.external_id) == (chain.south, "v1")
    assert visit.visited_at == dt.datetime.fromisoformat(AT)
    assert DomainEvent.objects.get(name="visit.completed").payload["visitId"] == str(visit.pk)
    assert StaleFacts.objects.filter(customer_id=visit.customer_id).exists()
    assert StaleMember.objects.filter(customer_id=visit.customer_id).exists()
    facts.refresh_stale_facts()
    assert CustomerFacts.objects.get().visit_count == 1


GOLD = {"membershipId": "M-1", "plan": "Gold", "startsOn": "2026-01-01", "expiresOn": "2027-01-01"}
FACIALS = {
    "packageId": "P-1", "name": "6 facials", "sessionsTotal": 6,
    "startsOn": "2026-01-01", "expiresOn": "2027-01-01",
}  # fmt: skip


def at(minute):
    return {"occurredAt": f"2026-05-04T10:{minute:02}:00Z"}


def test_a_review_brings_the_programmes_points_once(send, chain):
    make_programme(review_bonus=20)
    for id_ in ("r1", "r1", "r2"):
        send(event(id_, "review.posted", occurredAt=clock.now().isoformat()))
    send(event("old", "review.posted"))
    assert domain_events.deliver_due()
    domain_events.deliver_due()
    assert balance(Customer.objects.get().pk).points == 20


def test_memberships_and_packages_are_as_the_latest_report_says(send):
    send(
        event("2", "membership.cancelled", properties={"membershipId": "M-1"}) | at(2),
        event("1", "membership.sold", properties=GOLD) | at(1),
        event("3", "package.sold", properties=FACIALS) | at(1),
        event("4", "package.used", properties={"packageId": "P-1", "sessionsUsed": 2}) | at(4),
    )
    assert Membership.objects.get().status == "cancelled"
    assert Package.objects.get().sessions_used == 2
    late = event("5", "package.used", properties={"packageId": "P-1", "sessionsUsed": 1}) | at(3)
    assert send(late)["accepted"] == 1
    assert Package.objects.get().sessions_used == 2
    send(event("6", "package.cancelled", properties={"packageId": "P-1"}) | at(9))
    assert Package.objects.get().is_cancelled


def test_customer_events_replace_and_others_only_fill(send, chain):
    asha = CustomerFactory(external_id="C-1", email="", last_name="")
    named = {"externalId": "C-1", "name": "Usha Rao", "email": "USHA@example.com"}
    send(event("1", customer=named))
    asha.refresh_from_db()
    assert (asha.last_name, asha.email) == ("Rao", "usha@example.com")
    first = asha.first_name
    phone = {"externalId": "C-1", "firstName": "Usha", "phone": "9811100055", "tags": ["VIP"]}
    assert first != "Usha"
    send(event("2", "customer.updated", customer=phone | {"homeBranchId": str(chain.south.pk)}))
    asha.refresh_from_db()
    assert (asha.first_name, asha.phone, asha.tags) == ("Usha", "+919811100055", ["VIP"])
    assert asha.home_branch == chain.south
    primary = ContactPoint.objects.get(customer=asha, kind="phone", is_primary=True)
    assert primary.value == "+919811100055"


def test_consent_is_assumed_for_the_new_and_a_yes_needs_its_source(send, chain):
    yes = {"whatsappConsent": True}
    said = [yes, yes | {"source": "app"}, {"smsConsent": False}, {"marketingOptedOut": True}, None]
    people = [
        {"phone": f"981110000{n}", "name": name, "consents": consents}
        for n, (name, consents) in enumerate(zip("ABCDE", said, strict=True))
    ]
    answer = send(*(event(person["name"], customer=person) for person in people))
    assert fields_of(answer) == {0: ["customer.consents"]}
    states = {state.customer.first_name: state for state in ConsentState.objects.all()}
    assert (states["B"].whatsapp_basis, states["B"].sms_basis) == ("explicit", "assumed")
    assert (states["C"].sms_promotional, states["C"].whatsapp_basis) == (False, "assumed")
    assert (states["D"].marketing_opted_out, states["D"].whatsapp_promotional) == (True, False)
    assert (states["E"].sms_promotional, states["E"].sms_basis) == (True, "assumed")
    record = ConsentRecord.objects.get(customer=states["B"].customer, basis="explicit")
    assert (record.source, "events of" in record.reason) == ("app", True)


def test_a_completed_appointment_is_a_visit_once_a_day_and_branch(send, chain, manager):
    """Two on one day are one visit, as is one of a day that has a bill or was reported."""
    person = {"externalId": "C-1", "name": "Asha"}

    def told(number, name, day, hour=10, **properties):
        at = dt.datetime(2026, 5, day, hour, tzinfo=ZoneInfo(chain.north.time_zone))
        return event(number, name, person, properties=properties) | {"occurredAt": at.isoformat()}

    north = {"branchCode": chain.north.code}
    answer = send(
        told("1", "appointment.completed", 4, **north, appointmentId="A-1"),
        told("2", "appointment.completed", 4, 18, **north, appointmentId="A-2"),
        told("3", "appointment.completed", 4, 23, branchId=str(chain.south.pk)),
        told("4", "appointment.completed", 5, 0, **north),
        told("5", "visit.completed", 6, **north),
        told("6", "appointment.completed", 6, **north),
        *(told(name, f"appointment.{name}", 7, **north) for name in ("booked", "no_show")),
        told("7", "appointment.completed", 7),
        told("8", "appointment.completed", 7, branchCode="NONE"),
    )
    assert (answer["accepted"], fields_of(answer)) == (9, {9: ["properties.branchCode"]})
    found = Visit.objects.order_by("visited_at").values_list("external_id", flat=True)
    assert list(found) == ["A-1", "3", "4", "5"]
    assert DomainEvent.objects.filter(name="visit.completed").count() == 4
    asha = Customer.objects.get()
    for day in (5, 8):
        at = dt.datetime(2026, 5, day, 21, tzinfo=ZoneInfo(chain.north.time_zone))
        record_purchase(
            actor=manager, customer=asha, branch=chain.north, purchased_at=at, lines=[],
            subtotal=Decimal(100), total=Decimal(100),
        )  # fmt: skip
    assert Visit.objects.count() == 5
    send(told("9", "appointment.completed", 8, **north))
    assert Visit.objects.count() == 5


def test_nobody_who_refused_comes_back(send, manager):
    gone = CustomerFactory(phone="+919811100001", first_name="Mira", last_name="Das")
    opt_out(actor=manager, customer=gone, source="manual")
    say = {"whatsappConsent": True, "source": "app"}
    mira = {"phone": gone.phone, "externalId": "N-1", "name": "Mira Das", "consents": say}
    send(event("1", customer=mira))
    gone.refresh_from_db()
    states = ConsentState.objects.filter(customer__phone=gone.phone)
    assert not any(state.whatsapp_promotional and not state.marketing_opted_out for state in states)
    assert not ConsentState.objects.filter(whatsapp_basis="assumed").exists()


def test_a_key_without_the_scope_or_without_the_branch(send, issue, chain):
    for scopes in (["counter"], ["read"]):
        assert send(event("1"), status=403, by=issue(*scopes))["code"] == "MARKETING_403"
    bound = issue("events", branches=[chain.north])
    elsewhere = {"phone": "9811100002", "name": "B", "homeBranchId": str(chain.west.pk)}
    answer = send(
        event("1", "visit.completed", properties={"branchCode": chain.south.code}),
        event("2", customer=elsewhere),
        event("3", "visit.completed", properties={"branchCode": chain.north.code}),
        by=bound,
    )
    assert [error["code"] for error in answer["errors"]] == ["MARKETING_404"] * 2
    assert Visit.objects.get().branch == chain.north == Customer.objects.get().home_branch


def test_what_failed_for_a_branch_goes_through_when_it_is_there(send, chain):
    call = [
        event("1", "visit.completed", properties={"branchCode": "NEW"}),
        event("2", customer={"phone": "9811100002", "name": "B"}),
    ]
    assert send(*call)["accepted"] == 1
    row = RawRow.objects.get()
    owner = chain.actor(chain.owner)
    assert services.replay_row(actor=owner, row_id=row.pk).state == "failed"
    BranchFactory(code="NEW")
    for _ in range(2):
        assert services.replay_row(actor=owner, row_id=row.pk).state == "applied"
    assert (Visit.objects.count(), CustomerEvent.objects.count()) == (1, 2)


def batch(sent, count, chain):
    """A call of every kind, about people by the hundred."""
    kinds = [
        ("visit.completed", {"branchCode": chain.north.code}),
        ("customer.updated", {}),
        ("membership.sold", GOLD),
        ("package.sold", FACIALS),
        ("appointment.completed", {"branchId": str(chain.north.pk)}),
    ]
    made = []
    for n in range(count):
        name, properties = kinds[n % 5]
        numbers = {f"{kind}Id": f"{kind}-{n}" for kind in ("membership", "package")}
        own = {**properties, **{key: numbers[key] for key in numbers if key in properties}}
        person = {
            "externalId": f"C-{n % 400}",
            "name": f"Asha {n % 400}",
            "phone": f"+9198222{n % 400:05}",
        }
        if name == "customer.updated":
            person["tags"] = [sent]
        made.append(event(f"{sent}-{n}", name, person, properties=own))
    return made


def counted(send, *events):
    with CaptureQueriesContext(connection) as queries:
        answer = send(*events)
    assert (answer["accepted"], answer["errors"]) == (len(events), [])
    return len(queries)


def test_a_thousand_events_are_as_many_statements_as_ten(send, chain):
    counted(send, *batch("first", 1000, chain))
    few = counted(send, *batch("few", 10, chain))
    assert counted(send, *batch("many", 1000, chain)) == few
