"""Counted behaviour: visits, bills, events and messages; and the kinds of faults they have."""

import datetime as dt
import uuid
from typing import Any

import pytest

from customers.models import CustomerEvent
from customers.services.suppression import suppress_address
from marketing.core.ids import lower_bound
from marketing.delivery.models import Message
from marketing.segments.explanation import explain_membership
from marketing.segments.sentence import describe
from tests.factories.customers import PurchaseFactory, VisitFactory
from tests.factories.segments import SegmentFactory, group, where
from tests.segments.test_compiler import NOW, faults, names, person


def counted(kind: str, narrowed: Any, op: str = "gte", times: Any = 1, **more: Any):
    return group("AND", {kind: narrowed, "count": {"op": op, "value": times}, **more})


def sent(customer, days: int, state: str = "sent", **values: Any) -> Message:
    at = NOW - dt.timedelta(days=days)
    return Message.objects.create(
        id=uuid.UUID(int=lower_bound(at).int + uuid.uuid4().int % 2**60),
        customer=customer,
        run_id=uuid.uuid4(),
        batch_id=1,
        kind="campaign",
        channel="email",
        purpose="promotional",
        language="en",
        state=state,
        sent_at=at,
        read_at=at if state == "read" else None,
        **values,
    )


def test_bills_by_what_was_on_them(chain):
    colour = PurchaseFactory(customer__first_name="colour", purchased_at=NOW, lines=2)
    line = colour.lines.first()
    PurchaseFactory(customer__first_name="other", purchased_at=NOW, lines=1)
    service = {"service": str(line.service_id)}
    assert names(counted("purchase", service, within={"days": 1})) == {"colour"}
    assert names(counted("purchase", service, times=2)) == set()
    by_name = {"service_name": {"op": "starts_with", "value": line.service.name[:4].upper()}}
    assert "colour" in names(counted("purchase", by_name))
    colour.status = "void"
    colour.save()
    assert names(counted("purchase", service)) == set()


def test_visits_in_days_of_the_branch(chain):
    VisitFactory(customer=person("once"), branch=chain.north, visited_at=NOW)
    twice = person("twice")
    for days in (0, 40):
        at = NOW - dt.timedelta(days=days)
        VisitFactory(customer=twice, branch=chain.south, visited_at=at)
    person("never")
    assert names(counted("visit", {}, "eq", 0)) == {"never"}
    assert names(counted("visit", {}, "gte", 2)) == {"twice"}
    assert names(counted("visit", {}, "eq", 1, within={"days": 30})) == {"once", "twice"}
    assert names(counted("visit", {"branch": [str(chain.south.pk)]})) == {"twice"}
    assert names(where("visited_branch", "contains", str(chain.north.pk))) == {"once"}
    assert names(where("visited_branch", "not_set")) == {"never"}
    assert names(counted("visit", {"weekday": "tuesday"}, within={"days": 1})) == {"once", "twice"}


def test_events_by_name_and_property(chain):
    cart = person("cart")
    for amount in (900, "900"):
        CustomerEvent.objects.create(
            customer=cart,
            name="cart_abandoned",
            properties={"amount": amount, "in": "x"},
            occurred_at=NOW - dt.timedelta(hours=1),
        )
    big = {"name": "cart_abandoned", "property.amount": {"op": "gt", "value": 500}}
    assert names(counted("event", big, "eq", 1)) == {"cart"}
    assert names(counted("event", {"property.in": "X"}, "eq", 2)) == {"cart"}
    assert names(counted("event", {"name": "'; DROP TABLE x --"})) == set()


def test_who_did_not_open_the_last_three(chain):
    rules = counted("message", {"channel": "email", "state": "read"}, "eq", 0, last=3)
    deaf, keen, few = person("deaf"), person("keen"), person("few")
    for days in (1, 2, 3):
        sent(deaf, days)
        sent(keen, days, "read" if days == 3 else "sent")
    sent(deaf, 4, "read")
    sent(few, 1)
    assert names(rules) == {"deaf"}
    assert names(counted("message", {"state": "read"}, within={"days": 3})) == {"keen"}
    (verdict,) = explain_membership(rules, keen, language="en", now=NOW).verdicts
    assert (verdict.value, verdict.passed) == ("1", False)
    assert verdict.sentence == (
        "Number of messages (channel is E-mail, what became of it is opened or read) "
        "among the last 3 is 0"
    )


@pytest.mark.parametrize(
    ("node", "path"),
    [
        ({"visit": []}, "visit"),
        ({"visit": {"no": 1}}, "visit.no"),
        ({"visit": {"branch": "x"}}, "visit.branch"),
        ({"visit": {"weekday": "caturday"}}, "visit.weekday"),
        ({"visit": {"month": {"op": "like", "value": "m"}}}, "visit.month"),
        ({"visit": {"month": {"op": "eq", "value": "may", "sql": 1}}}, "visit.month"),
        ({"visit": {f"k{n}": 1 for n in range(11)}}, "visit"),
        ({"visit": {}, "last": 3}, "last"),
        ({"visit": {}, "within": 30}, "within"),
        ({"visit": {}, "within": {"days": -1}}, "within.days"),
        ({"visit": {}, "within": {"days": float("nan")}}, "within.days"),
        ({"visit": {}, "within": {"days": 10**9}}, "within.days"),
        ({"visit": {}, "count": 3}, "count"),
        ({"visit": {}, "count": {"op": "in", "value": [1]}}, "count.op"),
        ({"visit": {}, "count": {"op": "eq", "value": -1}}, "count.value"),
        ({"visit": {}, "count": {"op": "eq", "value": float("inf")}}, "count.value"),
        ({"visit": {}, "sql": 1}, "sql"),
        ({"purchase": {"total": {"op": "gt", "value": "NaN"}}}, "purchase.total"),
        ({"event": {"name": "a\x00b"}}, "event.name"),
        ({"event": {"property.": 1}}, "event.property."),
        ({"event": {"property.\ud800": 1}}, "event"),
        ({"event": {"property.x": {"$gt": 1}}}, "event.property.x"),
        ({"message": {"state": "opened"}}, "message.state"),
        ({"message": {"campaign": "x"}}, "message.campaign"),
        ({"message": {}, "last": 0}, "last"),
        ({"message": {}, "last": 3, "within": {"days": 1}}, "last"),
        ({"message": {}, "last": 3, "count": {"op": "eq", "value": 4}}, "count.value"),
    ],
)
def test_faults_of_counting_are_told_at_their_place(chain, node, path):
    rules = group("AND", node)
    assert f"rules.conditions.0.{path}" in faults(rules)
    describe(rules, "en")


def test_conditions_that_count_are_bounded(chain):
    one = {"visit": {}}
    person("never")
    assert names(group("OR", *[one] * 50)) == set()
    assert list(faults(group("OR", *[one] * 51))) == ["rules.conditions.50"]
    half = SegmentFactory(rules=group("OR", *[one] * 30))
    other = {"segment": str(half.pk), "op": "in"}
    assert list(faults(group("AND", other, other))) == ["rules.conditions.1.segment"]


LOCATION = [
    5,
    {"km": 5},
    {"km": 0, "lat": 1, "lng": 1},
    {"km": 5, "lat": 91, "lng": 1},
    {"km": 5, "lat": 1, "lng": "72"},
    {"km": 5, "lat": 1, "lng": float("nan")},
    {"km": 30_000, "lat": 1, "lng": 1},
    {"km": 5, "branch": "nowhere"},
    {"km": 5, "branch": "019a0000-0000-7000-8000-000000000000"},
    {"km": 5, "lat": 1, "lng": 1, "sql": 1},
]


@pytest.mark.parametrize("value", LOCATION, ids=range(len(LOCATION)))
def test_bad_places(chain, value):
    rules = where("location", "within_km", value)
    assert "rules.conditions.0.value" in faults(rules)
    describe(rules, "en")


def test_places_in_words(chain):
    chain.north.latitude, chain.north.longitude = 19.06, 72.83
    chain.north.save()
    near = person("near", latitude=19.08, longitude=72.87)
    person("nowhere")
    rules = where("location", "within_km", {"km": 6, "branch": str(chain.north.pk)})
    assert names(rules) == {"near"}
    assert describe(rules, "en") == "Everybody whose location is within 6 km of North."
    (verdict,) = explain_membership(rules, near, language="en", now=NOW).verdicts
    assert (verdict.value, verdict.passed) == ("19.0800, 72.8700", True)


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("age", "gt", 151),
        ("age", "eq", 30.5),
        ("membership_plan", "contains", "Unheard of"),
        ("phone", "starts_with", "\x00"),
        ("birthday_in_days", "within_next", 366),
        ("birthday_in_days", "today", 1),
        ("last_visit_days", "within_last", -1),
        ("tags", "all", "vip"),
    ],
)
def test_faults_of_the_newer_operators(chain, field, op, value):
    assert "rules.conditions.0.value" in faults(where(field, op, value))


def test_text_like_regular_expressions_is_only_text(chain):
    person("plain", email="a.b@example.com")
    person("other", email="axb@example.com")
    assert names(where("email", "starts_with", "a.b")) == {"plain"}
    assert names(where("email", "contains", ".*")) == set()
    assert names(where("email", "starts_with", "%")) == set()


def test_consent_by_purpose_and_suppressed_addresses(chain):
    person("spoilt", email="bad@example.com")
    person("fine", email="good@example.com")
    suppress_address(channel="email", address="bad@example.com", reason="hard_bounce")
    assert names(where("email_suppressed", "eq", True)) == {"spoilt"}
    assert names(where("email_suppressed", "eq", False)) == {"fine"}
    person("agreed", consent={"sms_service": True, "sms_basis": "explicit"})
    assert names(where("sms_service_consent", "eq", True)) >= {"agreed"}
    assert "agreed" in names(where("sms_consent_basis", "eq", "explicit"))


def test_today_s_date_is_the_branch_s(chain):
    person("leap", birth_date=dt.date(1992, 2, 29), home_branch=chain.north)
    common = dt.datetime(2027, 2, 27, 20, tzinfo=dt.UTC)  # the 28th in India
    assert names(where("birthday_in_days", "today"), now=common) == {"leap"}
    assert names(where("age", "eq", 35), now=common) == {"leap"}
    assert names(where("birthday_in_days", "eq", 365), now=common) == set()


def test_a_number_is_never_compared_with_a_text_or_a_yes(chain):
    for name, amount in (("number", 100), ("text", "900"), ("yes", True), ("nothing", None)):
        CustomerEvent.objects.create(
            customer=person(name), name="cart", properties={"amount": amount}, occurred_at=NOW
        )
    for op, value, expected in (("lte", 500, {"number"}), ("gt", 50, {"number"})):
        asked = {"property.amount": {"op": op, "value": value}}
        assert names(counted("event", asked)) == expected
