"""Where plain people and plain rules get their rows and ids."""

import datetime as dt
import uuid
from typing import Any

from customers.facts import mark_stale
from customers.models import (
    AttributeDefinition,
    CategoryRhythm,
    ConsentState,
    Customer,
    CustomerEvent,
    CustomerFacts,
    Membership,
    Package,
    Purchase,
    PurchaseLine,
    Service,
    Suppression,
    Visit,
)
from customers.services import suppress_address
from marketing.core.ids import lower_bound
from marketing.core.models import Branch
from marketing.coupons.models import CodeBatch, CouponCode, Offer, Redemption
from marketing.delivery.models import Message
from marketing.loyalty.models import PointsAccount, Tier
from marketing.referrals.models import Referral, ReferralCode
from marketing.segments.models import SegmentMember
from tests.factories.core import BranchFactory, Chain
from tests.factories.customers import (
    MembershipFactory,
    PackageFactory,
    ServiceCategoryFactory,
    ServiceFactory,
    copy_beside_facts,
)
from tests.factories.segments import SegmentFactory, StaticSegmentFactory
from tests.segments.plain_behaviours import CAME_TO, CATEGORY_OF
from tests.segments.plain_days_and_places import CITIES, LONDON, NOW, PLACES
from tests.segments.plain_evaluator import SEGMENTS, SUPPRESSED

PLAIN = (
    *("gender", "birth_date", "anniversary", "created_at", "language", "preferred_channel"),
    *("phone", "email", "tags"),
)
ATTRIBUTES = {
    "skin": "text",
    "miles": "number",
    "window": "boolean",
    "wedding": "date",
    "tone": "choice",
}
OFFERS: dict[str, dict[str, Any]] = {
    "glow": {},
    "over": {"valid_until": dt.date(2026, 2, 28)},
    "off": {"is_active": False},
}
CODES = ("open", "used", "reserved", "revoked", "expired", "lasting")
EXPIRING = {
    "expired": NOW - dt.timedelta(hours=25),
    "lasting": NOW + dt.timedelta(hours=25),
}
# What rules and people name, by the word for it: branches, categories, segments, services.
World = dict[str, Any]


def insert(people: list[dict[str, Any]], world: World) -> None:
    rows = Customer.objects.bulk_create(
        Customer(
            first_name=str(number),
            home_branch=world.get(f"branch:{person['branch']}"),
            latitude=PLACES[person["place"]][0] if person["place"] else None,
            longitude=PLACES[person["place"]][1] if person["place"] else None,
            attributes={key: person[key] for key in ATTRIBUTES if person[key] is not None},
            **{name: person[name] for name in PLAIN},
        )
        for number, person in enumerate(people)
    )
    pairs = list(zip(rows, people, strict=True))
    CustomerFacts.objects.bulk_create(
        CustomerFacts(customer=row, **person["facts"]) for row, person in pairs if person["facts"]
    )
    ConsentState.objects.bulk_create(
        ConsentState(customer=row, **person["consent"])
        for row, person in pairs
        if person["consent"] is not None
    )
    SegmentMember.objects.bulk_create(
        SegmentMember(segment=world["segment:listed"], customer=row)
        for row, person in pairs
        if person["is_listed"]
    )
    mark_stale(row.pk for row, person in pairs if not person["facts"])
    mark_stale(row.pk for row in rows[1::2])
    insert_what_they_hold(pairs, world)
    insert_what_they_did(pairs, world)
    insert_points_and_offers(pairs, world)
    insert_referrals(pairs, world)
    # Of the others, who are marked, nothing is copied yet.
    copy_beside_facts(row for row, person in pairs[::2] if person["facts"])
    insert_bills(
        [(row, bill) for row, person in pairs for bill in person["purchases"]],
        world,
    )


def insert_what_they_hold(pairs: list[tuple[Customer, dict[str, Any]]], world: World) -> None:
    begun = dt.date(2025, 1, 1)
    Membership.objects.bulk_create(
        Membership(customer=row, plan=plan, starts_on=begun, expires_on=until)
        for row, person in pairs
        for plan, until in person["plans"]
    )
    Package.objects.bulk_create(
        Package(
            customer=row,
            name=name,
            sessions_total=2,
            sessions_used=2 - left,
            starts_on=begun,
            expires_on=until,
        )
        for row, person in pairs
        for name, left, until in person["packages"]
    )
    CategoryRhythm.objects.bulk_create(
        CategoryRhythm(
            customer=row,
            category=world[f"category:{name}"],
            visits=3,
            last_at=NOW,
            interval_days=30,
            due_on=due,
        )
        for row, person in pairs
        for name, due in person["rhythms"]
    )


def insert_what_they_did(pairs: list[tuple[Customer, dict[str, Any]]], world: World) -> None:
    Visit.objects.bulk_create(
        Visit(customer=row, branch=world[f"branch:{visit['branch']}"], visited_at=visit["at"])
        for row, person in pairs
        for visit in person["visits"]
    )
    CustomerEvent.objects.bulk_create(
        CustomerEvent(
            id=uuid.UUID(int=lower_bound(event["at"]).int + number),
            customer=row,
            name=event["name"],
            properties={} if event["amount"] is None else {"amount": event["amount"]},
            occurred_at=event["at"],
        )
        for number, (row, event) in enumerate(
            (row, event) for row, person in pairs for event in person["events"]
        )
    )
    Message.objects.bulk_create(
        message(row, number, *each)
        for number, (row, person) in enumerate(pairs)
        for each in person["messages"]
    )


def insert_points_and_offers(pairs: list[tuple[Customer, dict[str, Any]]], world: World) -> None:
    PointsAccount.objects.bulk_create(
        PointsAccount(
            customer=row,
            available=points["available"],
            owed=points["owed"],
            tier=points["tier"] and world[f"tier:{points['tier']}"],
            next_expiry_on=points["next_expiry_on"],
        )
        for row, person in pairs
        if (points := person["points"])
    )
    uses = [(row, use) for row, person in pairs for use in person["offers"]]
    Redemption.objects.bulk_create(
        Redemption(
            reservation_id=uuid.uuid4(),
            offer=world[f"offer:{use['offer']}"],
            branch=world[f"branch:{use['branch']}"],
            customer=row,
            invoice_id=str(number),
            revision=1,
            amount=use["paise"],
            returned=use["returned"],
            shares={},
            state="reversed" if use["is_reversed"] else "redeemed",
            local_day=use["at"].date(),
            redeemed_at=use["at"],
        )
        for number, (row, use) in enumerate(uses)
    )
    codes = [(row, *code) for row, person in pairs for code in person["codes"]]
    CouponCode.objects.bulk_create(
        CouponCode(
            customer=row,
            offer=world[f"offer:{offer}"],
            batch=world[f"batch:{offer} {state}"],
            code=f"CODE{number}",
            key=f"CODE{number}",
            max_uses=None if state == "open" else 1,
            used=int(state == "used"),
            reserved=int(state == "reserved"),
            revoked_at=NOW if state == "revoked" else None,
            expires_at=EXPIRING.get(state),
        )
        for number, (row, offer, state) in enumerate(codes)
    )


def insert_referrals(pairs: list[tuple[Customer, dict[str, Any]]], world: World) -> None:
    code = world["referral code"]
    brought = [(row, None, state) for row, person in pairs for state in person["friends"]]
    came = [(code.customer, row, person["came"]) for row, person in pairs if person["came"]]
    Referral.objects.bulk_create(
        Referral(code=code, source="code", referrer=referrer, friend=friend, state=state)
        for referrer, friend, state in brought + came
    )


def insert_bills(bills: list[tuple[Customer, dict[str, Any]]], world: World) -> None:
    rows = Purchase.objects.bulk_create(
        Purchase(
            customer=row,
            branch=world[f"branch:{bill['branch']}"],
            subtotal=bill["total"],
            total=bill["total"],
            discount=bill["discount"],
            purchased_at=bill["at"],
        )
        for row, bill in bills
    )
    services: dict[str, Service] = world["services"]
    PurchaseLine.objects.bulk_create(
        PurchaseLine(
            purchase=row,
            service=services[name],
            category_id=services[name].category_id,
            unit_price=1,
            amount=1,
        )
        for row, (_customer, bill) in zip(rows, bills, strict=True)
        for name in bill["services"]
    )


def message(row: Customer, number: int, hours: int, channel: str, state: str) -> Message:
    at = NOW - dt.timedelta(hours=hours)
    came_to = CAME_TO[state]
    return Message(
        id=uuid.UUID(int=lower_bound(at).int + number),
        customer_id=row.pk,
        run_id=uuid.uuid4(),
        batch_id=1,
        kind="campaign",
        channel=channel,
        purpose="promotional",
        language="en",
        state="read" if state == "clicked" else state,
        sent_at=at if "sent" in came_to else None,
        delivered_at=at if "delivered" in came_to else None,
        read_at=at if "read" in came_to else None,
        clicked_at=at if "clicked" in came_to else None,
    )


def spelled(node: Any, world: World) -> Any:
    """The rules as they travel: words as ids, places as a branch or a point."""
    if isinstance(node, list):
        return [spelled(each, world) for each in node]
    if isinstance(node, str):
        return str(world[node].pk) if node in world else node
    if not isinstance(node, dict):
        return node
    if node.get("place") == "india":
        return {"km": node["km"], "branch": str(world["branch:india"].pk)}
    if "place" in node:
        latitude, longitude = PLACES[node["place"]]
        return {"km": node["km"], "lat": latitude, "lng": longitude}
    return {key: spelled(value, world) for key, value in node.items()}


def declare_attributes() -> None:
    for key, kind in ATTRIBUTES.items():
        choices = ["warm", "cool"] if kind == "choice" else []
        AttributeDefinition.objects.create(key=key, label=key, type=kind, choices=choices)


def make_world(chain: Chain) -> World:
    london = BranchFactory(time_zone=LONDON)
    world: World = {"branch:india": chain.north, "branch:london": london}
    for name, city in CITIES.items():
        Branch.objects.filter(pk=world[f"branch:{name}"].pk).update(city=city)
    latitude, longitude = PLACES["india"]
    Branch.objects.filter(pk=chain.north.pk).update(latitude=latitude, longitude=longitude)
    declare_attributes()
    # Somebody of each, so that there is something to choose.
    gone = {"customer__status": "merged", "customer__first_name": "x"}
    for plan in ("Gold", "Silver"):
        MembershipFactory(plan=plan, **gone)
    for name in ("Facials", "Spa"):
        PackageFactory(name=name, **gone)
    for name in set(CATEGORY_OF.values()):
        world[f"category:{name}"] = ServiceCategoryFactory(name=name)
    world["services"] = {
        name: ServiceFactory(name=name, category=world[f"category:{category}"])
        for name, category in CATEGORY_OF.items()
    }
    world |= {f"service:{name}": service for name, service in world["services"].items()}
    world["segment:listed"] = StaticSegmentFactory()
    for name, (rules, branches) in SEGMENTS.items():
        ids = branches and [world[f"branch:{each}"].pk for each in branches]
        world[f"segment:{name}"] = SegmentFactory(rules=spelled(rules, world), branch_ids=ids)
    for level, name in enumerate(("silver", "gold")):
        world[f"tier:{name}"] = Tier.objects.create(name=name, level=level, threshold=level)
    gone_one = Customer.objects.filter(status="merged").first()
    world["referral code"] = ReferralCode.objects.create(customer=gone_one, code="BRING")
    for name, terms in OFFERS.items():
        offer = world[f"offer:{name}"] = Offer.objects.create(name=name, kind="flat", **terms)
        for state in CODES:
            world[f"batch:{name} {state}"] = CodeBatch.objects.create(
                offer=offer,
                count=1,
                expires_at=EXPIRING.get(state),
                is_copied=True,
                copied_to=gone_one.pk,
            )
    for channel, address in SUPPRESSED:
        suppress_address(channel=channel, address=address, reason="hard_bounce")
    suppress_address(channel="email", address="c_d@e.com", reason="unreachable")
    Suppression.objects.filter(reason="unreachable").update(until=NOW - dt.timedelta(days=1))
    return world
