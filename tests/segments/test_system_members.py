"""For every built-in segment one person who belongs, and one who just does not."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from customers.models import (
    ConsentState,
    Customer,
    CustomerEvent,
    CustomerFacts,
    Purchase,
    PurchaseLine,
    Visit,
)
from marketing.core.ids import lower_bound
from marketing.core.models import Branch
from marketing.delivery.models import Message
from marketing.loyalty.models import PointsAccount
from marketing.referrals.models import Referral, ReferralCode
from marketing.segments import services
from marketing.segments.models import Segment
from marketing.segments.selectors import audience
from tests.factories.customers import CustomerFactory, ServiceFactory

NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=ZoneInfo("Asia/Kolkata"))  # a Tuesday
SATURDAY, SUNDAY, MONDAY = (dt.date(2026, 3, 7), dt.date(2026, 3, 1), dt.date(2026, 3, 2))
OCTOBER, DECEMBER, JANUARY = dt.date(2025, 10, 31), dt.date(2025, 12, 1), dt.date(2026, 1, 5)
SERVICES = {"Root colour": "Hair", "Cut": "Hair", "Shampoo": "Retail care"}
Day = int | dt.date


def at(day: Day) -> dt.datetime:
    """A moment on that day, or so many days ago."""
    if isinstance(day, int):
        return NOW - dt.timedelta(days=day)
    return dt.datetime.combine(day, dt.time(12), NOW.tzinfo)


@dataclass(frozen=True)
class Bill:
    day: Day = 1
    discount: str = "0"
    service: str = "Cut"


@dataclass(frozen=True)
class Person:
    """`events` are (name, day, properties), `mails` are (day, whether it was read).

    `brought` is the state of the referral that brought her.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    consent: Mapping[str, Any] = field(default_factory=dict)
    visits: Iterable[Day] = ()
    bills: Iterable[Bill] = ()
    events: Iterable[tuple[str, Day, Mapping[str, Any]]] = ()
    mails: Iterable[tuple[int, bool]] = ()
    points: int | None = None
    brought: str = ""


def facts(**values: Any) -> Person:
    return Person(facts=values)


def card(**values: Any) -> Person:
    return Person(card=values)


def came(*days: Day) -> Person:
    return Person(visits=days)


def did(name: str, *days: Day, **properties: Any) -> Person:
    return Person(events=[(name, day, properties) for day in days])


def booked_ahead(*days_ahead: int) -> Person:
    return Person(events=[("booking", 180, {"days_ahead": days}) for days in days_ahead])


def due(days: int) -> Person:
    return facts(due_on=NOW.date() + dt.timedelta(days=days))


# Who is in it, and who is left out by the least that there is.
PEOPLE: dict[str, tuple[Person, Person]] = {
    "New Customers": (facts(visit_count=1), facts(visit_count=2)),
    "Repeat Customers": (facts(visit_count=2), facts(visit_count=1)),
    "Inactive Customers (30+ days)": (facts(last_visit_at=at(31)), facts(last_visit_at=at(30))),
    "High-Value Customers": (facts(total_spend="10000.01"), facts(total_spend=10000)),
    "Package Holders": (facts(has_active_package=True), facts(package_expires_on=NOW.date())),
    "Members": (facts(has_active_membership=True), facts(membership_status="expired")),
    "Birthday This Month": (
        card(birth_date=dt.date(1990, 3, 31)),
        card(birth_date=dt.date(1990, 4, 1)),
    ),
    "High Spenders This Year": (facts(spend_365_days="20000.01"), facts(spend_365_days=20000)),
    "VIP Customers": (
        facts(rfm_monetary=5, rfm_frequency=5),
        facts(rfm_monetary=5, rfm_frequency=4),
    ),
    "Group Bookers": (did("group_booking", 365), did("group_booking", 366)),
    "Corporate Customers": (card(tags=["corporate"]), card(tags=["corporates"])),
    "Last-Minute Bookers": (booked_ahead(0, 1), booked_ahead(0, 2)),
    "Early Planners": (booked_ahead(7, 8), booked_ahead(7, 6)),
    "Discount Seekers": (
        Person(bills=[Bill(discount="0.01"), Bill(365, "5"), Bill(2, "5")]),
        Person(bills=[Bill(discount="0.01"), Bill(365, "5"), Bill(2), Bill(366, "5")]),
    ),
    "Premium Seekers": (facts(average_ticket=3000), facts(average_ticket="2999.99")),
    "Indian Phone Numbers": (card(phone="+919800000001"), card(phone="+9809800000001")),
    "Foreign Phone Numbers": (card(phone="+447700900001"), card(phone="")),
    "Destination Guests": (did("destination_visit", 365), did("destination_visit", 366)),
    "Readers of Hindi": (card(language="hi"), card(language="mr")),
    "Colour Regulars": (
        Person(bills=[Bill(365, service="Root colour")]),
        Person(bills=[Bill(366, service="Root colour"), Bill(service="Cut")]),
    ),
    "Frequent Visitors": (came(365, *range(9)), came(366, *range(9))),
    "Festive Season Visitors": (came(OCTOBER, DECEMBER), came(OCTOBER, DECEMBER, JANUARY)),
    "Weekend Visitors": (came(SATURDAY, SUNDAY), came(SATURDAY, SUNDAY, MONDAY)),
    "Weekday Visitors": (came(MONDAY, 0), came(MONDAY, 0, SUNDAY)),
    "App Bookers": (did("booking", 180, channel="app"), did("booking", 1, channel="web")),
    "Web Bookers": (did("booking", 180, channel="web"), did("booking", 181, channel="web")),
    "Front Desk Bookers": (did("booking", 180, channel="desk"), did("booking", 1)),
    "New in the Last 30 Days": (facts(first_visit_at=at(30)), facts(first_visit_at=at(31))),
    "Active Customers": (facts(stage="engaged"), facts(stage="new")),
    "At-Risk Customers": (facts(stage="at_risk"), facts(stage="churned")),
    "Churned Customers": (facts(stage="churned"), facts(stage="at_risk")),
    "Reactivated Customers": (facts(stage="reactivated"), facts(stage="active")),
    "Win-Back Candidates": (
        facts(stage="churned", total_spend=5000),
        Person(
            facts={"stage": "churned", "total_spend": 5000},
            consent={"marketing_opted_out": True},
        ),
    ),
    "E-mail Engaged": (
        Person(mails=[(1, True), (90, True)]),
        Person(mails=[(1, True), (2, False), (91, True)]),
    ),
    "E-mail Disengaged": (
        Person(mails=[(1, False), (2, False), (3, False), (4, True)]),
        Person(mails=[(1, False), (2, False), (3, True), (4, False)]),
    ),
    "SMS Opted-In": (
        Person(consent={"sms_promotional": True}),
        Person(consent={"sms_service": True, "email_promotional": True}),
    ),
    "Loyalty Members": (Person(points=1), Person(points=0)),
    "App Users": (did("app_opened", 90), did("app_opened", 91)),
    "Social Media Followers": (card(tags=["vip", "follower"]), card(tags=["Follower"])),
    "Retail Buyers": (
        Person(bills=[Bill(365, service="Shampoo")]),
        Person(bills=[Bill(366, service="Shampoo"), Bill(service="Cut")]),
    ),
    "Upgrade Takers": (did("upgrade", 365), did("upgraded", 1)),
    "Package Buyers": (facts(package_expires_on=dt.date(2020, 1, 1)), facts(visit_count=1)),
    "No Retail Yet": (
        Person(facts={"last_visit_at": at(365)}, bills=[Bill(366, service="Shampoo")]),
        Person(facts={"last_visit_at": at(365)}, bills=[Bill(365, service="Shampoo")]),
    ),
    "High Churn Risk": (due(-61), due(-60)),
    "Medium Churn Risk": (due(-60), due(0)),
    "Due Soon": (due(30), due(31)),
    "High Lifetime Value": (
        facts(rfm_group="loyal", spend_365_days=20000),
        facts(rfm_group="potential_loyalist", spend_365_days=20000),
    ),
    "Anniversary This Month": (
        card(anniversary=dt.date(2010, 3, 1)),
        card(anniversary=dt.date(2010, 2, 28)),
    ),
    "Abandoned Booking": (
        Person(events=[("cart_abandoned", 7, {})], visits=[8]),
        Person(events=[("cart_abandoned", 7, {})], visits=[7]),
    ),
    "Looked but Did Not Book": (
        Person(events=[("search", 30, {}), ("booking", 31, {})], visits=[31]),
        Person(events=[("search", 30, {}), ("booking", 30, {})]),
    ),
    "Complained Recently": (did("complaint", 30), did("complaint", 31)),
    "Promoters": (did("nps", 180, score=9), did("nps", 180, score=8)),
    "Detractors": (did("nps", 180, score=6), did("nps", 180, score=7)),
    "Referral Participants": (Person(brought="attributed"), Person(brought="expired")),
}


@pytest.fixture
def everybody(chain):
    """Who is in and who is out of each segment, by the segment's name."""
    services.ensure_system_segments()
    made = [
        (f"{name}, {side}", person)
        for name, pair in PEOPLE.items()
        for side, person in zip(("in", "out"), pair, strict=True)
    ]
    rows = Customer.objects.bulk_create(
        Customer(**{"first_name": name, "home_branch": chain.north} | dict(person.card))
        for name, person in made
    )
    pairs = [(row, person) for row, (_name, person) in zip(rows, made, strict=True)]
    CustomerFacts.objects.bulk_create(
        CustomerFacts(customer=row, **person.facts) for row, person in pairs
    )
    ConsentState.objects.bulk_create(
        ConsentState(customer=row, **person.consent) for row, person in pairs
    )
    Visit.objects.bulk_create(
        Visit(customer=row, branch=chain.north, visited_at=at(day))
        for row, person in pairs
        for day in person.visits
    )
    CustomerEvent.objects.bulk_create(
        CustomerEvent(customer=row, name=name, properties=properties, occurred_at=at(day))
        for row, person in pairs
        for name, day, properties in person.events
    )
    PointsAccount.objects.bulk_create(
        PointsAccount(customer=row, available=person.points)
        for row, person in pairs
        if person.points is not None
    )
    Message.objects.bulk_create(mail(row, *each) for row, person in pairs for each in person.mails)
    bill_them(chain.north, [(row, bill) for row, person in pairs for bill in person.bills])
    bring_them([(row, person.brought) for row, person in pairs if person.brought])


def mail(row: Customer, day: int, is_read: bool) -> Message:
    return Message(
        id=uuid.UUID(int=lower_bound(at(day)).int + row.pk.int % 2**60),
        customer=row,
        run_id=uuid.uuid4(),
        batch_id=1,
        kind="campaign",
        channel="email",
        purpose="promotional",
        language="en",
        state="read" if is_read else "sent",
        sent_at=at(day),
        read_at=at(day) if is_read else None,
    )


def bill_them(branch: Branch, bills: list[tuple[Customer, Bill]]) -> None:
    offered = {
        name: ServiceFactory(name=name, category__name=category)
        for name, category in SERVICES.items()
    }
    rows = Purchase.objects.bulk_create(
        Purchase(
            customer=row,
            branch=branch,
            subtotal=1000,
            total=1000,
            discount=Decimal(bill.discount),
            purchased_at=at(bill.day),
        )
        for row, bill in bills
    )
    PurchaseLine.objects.bulk_create(
        PurchaseLine(
            purchase=row,
            service=offered[bill.service],
            category=offered[bill.service].category,
            unit_price=1000,
            amount=1000,
        )
        for row, (_customer, bill) in zip(rows, bills, strict=True)
    )


def bring_them(friends: list[tuple[Customer, str]]) -> None:
    referrer = CustomerFactory(first_name="who brought them")
    code = ReferralCode.objects.create(customer=referrer, code="BRING")
    Referral.objects.bulk_create(
        Referral(
            referrer=referrer,
            code=code,
            friend=friend,
            state=state,
            source=Referral.Source.CODE,
        )
        for friend, state in friends
    )


def test_each_finds_whom_it_names_and_not_who_just_misses_it(everybody):
    wrong = {}
    for segment in Segment.objects.all():
        names = {f"{segment.name}, {side}" for side in ("in", "out")}
        found = audience(segment=segment, branch_ids=None, now=NOW).filter(first_name__in=names)
        held = set(found.values_list("first_name", flat=True))
        if held != {f"{segment.name}, in"}:
            wrong[segment.name] = held
    assert not wrong


def test_none_is_forgotten(chain):
    services.ensure_system_segments()
    assert set(Segment.objects.values_list("name", flat=True)) == set(PEOPLE)
