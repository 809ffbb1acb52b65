"""The compiler against a plain evaluator, on random rules and random customers.

The evaluator works on Python values with `all`, `any` and `not`; it shares no code with the
compiler, and knows nothing of SQL's third truth value.
"""

import datetime as dt
import math
import uuid
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from customers.models import (
    AttributeDefinition,
    ConsentState,
    Customer,
    CustomerFacts,
    Membership,
    Visit,
)
from marketing.core.ids import lower_bound
from marketing.core.models import Branch
from marketing.delivery.models import Message
from marketing.segments.compiler import compile_rules, compile_tree
from marketing.segments.context import RuleContext
from marketing.segments.tally import Tally
from tests.factories.core import BranchFactory, Chain
from tests.factories.customers import MembershipFactory

INDIA, LONDON = "Asia/Kolkata", "Europe/London"
NOW = dt.datetime(2026, 2, 28, 20, 30, tzinfo=dt.UTC)  # already March in India, not in London
MOMENTS = st.sampled_from(
    [NOW - dt.timedelta(hours=hours) for hours in (0, 3, 20, 24, 26, 40, 49, 700, 725, 9000)]
)
DATES = st.sampled_from(
    [
        dt.date(*day)
        for day in ((1992, 2, 29), (1990, 2, 28), (1990, 3, 1), (1990, 3, 4), (1990, 12, 31))
    ]
)
SMALL = st.integers(0, 3)
TAGS = ["vip", "bride", "नई"]


# A branch, beside it, far off, across the 180th meridian from each other, and by the pole.
PLACES = {
    "india": (19.06, 72.83),
    "near": (19.08, 72.87),
    "far": (28.6, 77.2),
    "fiji": (-17.0, 179.9),
    "samoa": (-17.0, -179.9),
    "pole": (89.9, 10.0),
    "beyond pole": (89.9, -170.0),
}
CHANNELS = st.sampled_from(["email", "sms"])
STATES = st.sampled_from(["sent", "delivered", "read", "clicked", "failed"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


CUSTOMER = st.fixed_dictionaries(
    {
        "branch": st.sampled_from([None, "india", "london"]),
        "gender": st.sampled_from(["", "male", "female"]),
        "birth_date": maybe(DATES),
        "tags": st.lists(st.sampled_from(TAGS), unique=True),
        "facts": maybe(
            st.fixed_dictionaries(
                {
                    "visit_count": SMALL,
                    "last_visit_at": maybe(MOMENTS),
                    "total_spend": st.sampled_from([Decimal(0), Decimal("99.99"), Decimal(100)]),
                    "average_ticket": maybe(st.just(Decimal("99.99"))),
                    "has_active_package": st.booleans(),
                    "membership_status": st.sampled_from(["none", "active", "expired"]),
                    "membership_expires_on": maybe(
                        st.sampled_from([dt.date(2026, 2, 27), dt.date(2026, 3, 3)])
                    ),
                }
            )
        ),
        "consent": maybe(st.booleans()),
        "place": maybe(st.sampled_from(sorted(PLACES))),
        "visits": st.lists(
            st.tuples(MOMENTS, st.sampled_from(["india", "london"])), max_size=4, unique=True
        ),
        "messages": st.lists(
            st.tuples(st.sampled_from([0, 20, 700, 9000]), CHANNELS, STATES),
            max_size=4,
            unique_by=lambda message: message[0],
        ),
        "plans": st.lists(
            st.tuples(
                st.sampled_from(["Gold", "Silver"]),
                st.sampled_from([dt.date(2026, 2, 27), dt.date(2026, 2, 28), dt.date(2026, 3, 1)]),
            ),
            max_size=2,
        ),
        "skin": maybe(st.sampled_from(["dry", "Oily", "50% dry"])),
        "miles": maybe(st.sampled_from([0, 1, 2.5, 3])),
        "window": maybe(st.booleans()),
    }
)

KNOWN = [("is_set", st.none()), ("not_set", st.none())]


def ordered(values: st.SearchStrategy[Any]) -> list[tuple[str, st.SearchStrategy[Any]]]:
    comparisons = [(op, values) for op in ("eq", "ne", "gt", "gte", "lt", "lte")]
    between = st.lists(values, min_size=2, max_size=2).map(sorted)
    return [*comparisons, ("between", between), *KNOWN]


def listed(values: st.SearchStrategy[Any], *ops: str) -> list[tuple[str, st.SearchStrategy[Any]]]:
    several = st.lists(values, min_size=1, max_size=3)
    return [(op, values) for op in ops] + [("in", several), ("not_in", several)]


AMOUNTS = st.sampled_from([0, 99.99, 100, 250.5])
MONTHS = st.sampled_from([2, 3, 12, "current"])
DAYS = st.integers(0, 4) | st.sampled_from([30, 31, 375])
YES_OR_NO = [("eq", st.booleans()), ("ne", st.booleans())]
OPERANDS: dict[str, list[tuple[str, st.SearchStrategy[Any]]]] = {
    "visit_count": ordered(SMALL) + listed(SMALL),
    "last_visit_days": [*ordered(DAYS), ("within_last", DAYS)],
    "total_spend": ordered(AMOUNTS),
    "average_ticket": ordered(AMOUNTS),
    "has_package": YES_OR_NO,
    "sms_consent": YES_OR_NO,
    "membership_status": listed(st.sampled_from(["none", "active", "expired"]), "eq", "ne") + KNOWN,
    "membership_expires_days": [
        *ordered(st.integers(-3, 4)),
        ("within_last", st.integers(0, 4)),
        ("within_next", st.integers(0, 4)),
    ],
    "membership_plan": [
        *listed(st.sampled_from(["Gold", "Silver"]), "contains", "ne"),
        ("all", st.just(["Gold", "Silver"])),
        *KNOWN,
    ],
    "age": ordered(st.integers(33, 36)) + listed(st.integers(33, 36)),
    "location": [
        *(
            (
                op,
                st.fixed_dictionaries({"km": st.sampled_from([1, 6, 25, 1200, 20000])}).flatmap(
                    lambda value: st.sampled_from(sorted(PLACES)).map(
                        lambda name: value | {"place": name}
                    )
                ),
            )
            for op in ("within_km", "beyond_km")
        ),
        *KNOWN,
    ],
    "gender": listed(st.sampled_from(["male", "female"]), "eq", "ne") + KNOWN,
    "birthday_month": listed(MONTHS, "eq", "ne") + KNOWN,
    "birthday_in_days": [
        ("lte", st.integers(0, 4) | st.sampled_from([300, 365])),
        ("eq", st.integers(0, 4) | st.sampled_from([364, 365])),
        ("within_next", st.integers(0, 4) | st.just(365)),
        ("today", st.none()),
        ("between", st.lists(st.integers(0, 365), min_size=2, max_size=2).map(sorted)),
        *KNOWN,
    ],
    "tags": [
        *listed(st.sampled_from(TAGS), "contains", "ne"),
        ("all", st.lists(st.sampled_from(TAGS), min_size=1, max_size=2)),
        *KNOWN,
    ],
    "attribute.skin": [
        *listed(st.sampled_from(["DRY", "oily", "50% dry"]), "eq", "ne"),
        ("contains", st.sampled_from(["dr", "0%", "_", "Y"])),
        ("starts_with", st.sampled_from(["DR", "5", "%", "y"])),
        *KNOWN,
    ],
    "attribute.miles": ordered(st.sampled_from([0, 1, 2.5, 9])) + listed(SMALL),
    "attribute.window": [*YES_OR_NO, *KNOWN],
}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(sorted(OPERANDS)))
    op, values = draw(st.sampled_from(OPERANDS[field]))
    return {"field": field, "op": op, "value": draw(values)}


COUNTS = st.tuples(st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), SMALL) | st.tuples(
    st.just("between"), st.lists(SMALL, min_size=2, max_size=2).map(sorted)
)


@st.composite
def counted(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["visit", "message"]))
    filters: dict[str, st.SearchStrategy[Any]] = {
        "visit": {
            "weekday": st.sampled_from([["saturday", "sunday"], "friday"]),
            "month": st.sampled_from(["february", {"op": "not_in", "value": ["february"]}]),
        },
        "message": {"channel": CHANNELS, "state": STATES | st.just(["read", "failed"])},
    }[kind]
    node = {kind: draw(st.fixed_dictionaries({}, optional=filters))}
    op, value = draw(COUNTS)
    bounds = [None, "within", "last"] if kind == "message" else [None, "within"]
    bound = draw(st.sampled_from(bounds))
    if bound == "within":
        node["within"] = {"days": draw(DAYS)}
    elif bound == "last":
        value = value if op == "between" else min(value, 2)
        node["last"] = draw(st.sampled_from([2, 3]))
    return node | {"count": {"op": op, "value": value}}


def groups(children: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "operator": st.sampled_from(["AND", "OR", "NOT"]),
            "conditions": st.lists(children, min_size=1, max_size=3),
        }
    )


RULES = groups(st.recursive(conditions() | counted(), groups, max_leaves=12))


def holds(node: dict[str, Any], person: dict[str, Any]) -> bool:
    if "operator" in node:
        verdicts = [holds(child, person) for child in node["conditions"]]
        return {"AND": all(verdicts), "OR": any(verdicts), "NOT": not any(verdicts)}[
            node["operator"]
        ]
    if "count" in node:
        times = times_of(node, person)
        count = node["count"]
        return times is not None and met(times, "", count["op"], count["value"], person)
    return met(value_of(node["field"], person), node["field"], node["op"], node["value"], person)


def today(person: dict[str, Any]) -> dt.date:
    return NOW.astimezone(ZoneInfo(LONDON if person["branch"] == "london" else INDIA)).date()


def days_since(moment: dt.datetime, person: dict[str, Any]) -> int:
    zone = ZoneInfo(LONDON if person["branch"] == "london" else INDIA)
    return (today(person) - moment.astimezone(zone).date()).days


def times_of(node: dict[str, Any], person: dict[str, Any]) -> int | None:
    """How often she did it; None where she has fewer messages than are to be judged."""
    most = node["within"]["days"] if "within" in node else 10**9
    if "visit" in node:
        return sum(
            days_since(at, person) <= most
            and all(
                passes(wanted, at.astimezone(BRANCH_ZONES[branch]).strftime(CALENDAR[key]).lower())
                for key, wanted in node["visit"].items()
            )
            for at, branch in person["visits"]
        )
    where = node["message"]
    found = [
        state
        for hours, channel, state in sorted(person["messages"])
        if channel == where.get("channel", channel)
        and days_since(NOW - dt.timedelta(hours=hours), person) <= most
    ]
    if "last" in node:
        found = found[: node["last"]]
        if len(found) < node["last"]:
            return None
    wanted = where.get("state", "sent")
    return sum(any(each in CAME_TO[state] for each in as_list(wanted)) for state in found)


def passes(wanted: Any, value: str) -> bool:
    if isinstance(wanted, dict):
        return value not in wanted["value"]
    return value in as_list(wanted)


CALENDAR = {"weekday": "%A", "month": "%B"}
BRANCH_ZONES = {"india": ZoneInfo(INDIA), "london": ZoneInfo(LONDON)}
# What a message of this state has been, too.
CAME_TO = {
    "failed": {"failed"},
    "sent": {"sent"},
    "delivered": {"sent", "delivered"},
    "read": {"sent", "delivered", "read"},
    "clicked": {"sent", "delivered", "read", "clicked"},
}


def kilometres(one: str, other: str) -> float:
    """By the angle between two arrows from the middle of the earth."""
    ends = []
    for name in (one, other):
        latitude, longitude = (math.radians(each) for each in PLACES[name])
        ends.append(
            (
                math.cos(latitude) * math.cos(longitude),
                math.cos(latitude) * math.sin(longitude),
                math.sin(latitude),
            )
        )
    return 2 * 6371.0088 * math.asin(min(1, math.dist(*ends) / 2))


def age_of(born: dt.date, day: dt.date) -> int:
    years = 0
    while True:
        year = born.year + years + 1
        is_leap = year % 4 == 0
        birthday = (2, 28) if (born.month, born.day) == (2, 29) and not is_leap else None
        if dt.date(year, *(birthday or (born.month, born.day))) > day:
            return years
        years += 1


def value_of(field: str, person: dict[str, Any]) -> Any:
    facts = person["facts"] or {}
    zone = ZoneInfo(LONDON if person["branch"] == "london" else INDIA)
    if field == "last_visit_days":
        at = facts.get("last_visit_at")
        return at and (today(person) - at.astimezone(zone).date()).days
    if field == "membership_expires_days":
        on = facts.get("membership_expires_on")
        return on and (on - today(person)).days
    if field == "age":
        return person["birth_date"] and age_of(person["birth_date"], today(person))
    if field == "location":
        return person["place"]
    if field == "membership_plan":
        return [plan for plan, until in person["plans"] if until >= today(person)]
    if field == "birthday_month":
        return person["birth_date"] and person["birth_date"].month
    if field == "birthday_in_days":
        return person["birth_date"] and days_to_birthday(person["birth_date"], today(person))
    if field == "has_package":
        return bool(facts.get("has_active_package"))
    if field == "sms_consent":
        return bool(person["consent"])
    if field == "gender":
        return person["gender"] or None
    if field == "tags":
        return person["tags"]
    return person[field.split(".")[1]] if "." in field else facts.get(field)


def days_to_birthday(born: dt.date, day: dt.date) -> int:
    for days in range(367):
        then = day + dt.timedelta(days=days)
        leap = then.year % 4 == 0
        celebrated = (
            (2, 28) if (born.month, born.day) == (2, 29) and not leap else (born.month, born.day)
        )
        if (then.month, then.day) == celebrated:
            return days
    raise AssertionError(born)


def met(value: Any, field: str, op: str, wanted: Any, person: dict[str, Any]) -> bool:
    if field in ("tags", "membership_plan"):
        return {
            "all": isinstance(wanted, list) and set(wanted) <= set(value),
            "not_in": isinstance(wanted, list) and not set(wanted) & set(value),
            "contains": wanted in value,
            "in": isinstance(wanted, list) and bool(set(wanted) & set(value)),
            "ne": wanted not in value,
            "is_set": bool(value),
            "not_set": not value,
        }[op]
    if op in ("is_set", "not_set"):
        return (value is not None) == (op == "is_set")
    if value is None:
        return False
    if field == "birthday_month":
        wanted = [today(person).month if m == "current" else m for m in as_list(wanted)]
        op = {"eq": "in", "ne": "none_of", "not_in": "none_of", "in": "in"}[op]
    if field == "attribute.skin":
        value, wanted = value.lower(), [each.lower() for each in as_list(wanted)]
        op = {"eq": "in", "ne": "none_of", "contains": "within"}.get(op, op)
    if isinstance(value, Decimal):
        wanted = [Decimal(str(each)) for each in as_list(wanted)]
        wanted = wanted if op in ("in", "not_in", "between") else wanted[0]
    if op in ("within_km", "beyond_km"):
        return (kilometres(value, wanted["place"]) <= wanted["km"]) == (op == "within_km")
    match op:
        case "starts_with":
            return bool(value.startswith(wanted[0]))
        case "today":
            return bool(value == 0)
        case "within_last":
            value = -value if field == "membership_expires_days" else value
            return bool(0 <= value <= wanted)
        case "within_next":
            return bool(0 <= value <= wanted)
        case "eq":
            return bool(value == wanted)
        case "ne":
            return bool(value != wanted)
        case "gt":
            return bool(value > wanted)
        case "gte":
            return bool(value >= wanted)
        case "lt":
            return bool(value < wanted)
        case "lte":
            return bool(value <= wanted)
        case "between":
            return bool(wanted[0] <= value <= wanted[1])
        case "in":
            return value in wanted
        case "none_of" | "not_in":
            return value not in wanted
        case "within":
            return wanted[0] in value
    raise AssertionError(op)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def insert(people: list[dict[str, Any]], branches: dict[str, Branch]) -> None:
    rows = Customer.objects.bulk_create(
        Customer(
            first_name=str(number),
            home_branch=branches.get(person["branch"]),
            gender=person["gender"],
            birth_date=person["birth_date"],
            latitude=PLACES[person["place"]][0] if person["place"] else None,
            longitude=PLACES[person["place"]][1] if person["place"] else None,
            tags=person["tags"],
            attributes={
                key: person[key] for key in ("skin", "miles", "window") if person[key] is not None
            },
        )
        for number, person in enumerate(people)
    )
    pairs = list(zip(rows, people, strict=True))
    CustomerFacts.objects.bulk_create(
        CustomerFacts(customer=row, **person["facts"]) for row, person in pairs if person["facts"]
    )
    Visit.objects.bulk_create(
        Visit(customer=row, branch=branches[branch], visited_at=at)
        for row, person in pairs
        for at, branch in person["visits"]
    )
    Membership.objects.bulk_create(
        Membership(customer=row, plan=plan, starts_on=dt.date(2025, 1, 1), expires_on=until)
        for row, person in pairs
        for plan, until in person["plans"]
    )
    Message.objects.bulk_create(
        message(row, number, *each)
        for number, (row, person) in enumerate(pairs)
        for each in person["messages"]
    )
    ConsentState.objects.bulk_create(
        ConsentState(customer=row, sms_promotional=person["consent"])
        for row, person in pairs
        if person["consent"] is not None
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


def spelled(node: Any, branches: dict[str, Branch]) -> Any:
    """The rules with places as they travel: the branch by its id, the others as points."""
    if isinstance(node, list):
        return [spelled(each, branches) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("place") == "india":
        return {"km": node["km"], "branch": str(branches["india"].pk)}
    if "place" in node:
        latitude, longitude = PLACES[node["place"]]
        return {"km": node["km"], "lat": latitude, "lng": longitude}
    return {key: spelled(value, branches) for key, value in node.items()}


# Below an OR, `~Q` once lost people without the joined row.
NOBODY = {
    "branch": None,
    "gender": "",
    "birth_date": None,
    "tags": [],
    "facts": None,
    "consent": None,
    "place": None,
    "visits": [],
    "messages": [],
    "plans": [],
    "skin": None,
    "miles": None,
    "window": None,
}
NOT_BELOW_OR = {
    "operator": "OR",
    "conditions": [
        {"field": "membership_expires_days", "op": "eq", "value": 0},
        {
            "operator": "NOT",
            "conditions": [{"field": "total_spend", "op": "eq", "value": 0}],
        },
    ],
}


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rules=RULES, people=st.lists(CUSTOMER, min_size=1, max_size=6))
@example(rules=NOT_BELOW_OR, people=[NOBODY])
def check(branches: dict[str, Branch], rules: dict[str, Any], people: list[dict[str, Any]]) -> None:
    savepoint = transaction.savepoint()
    try:
        insert(people, branches)
        rules_as_sent = spelled(rules, branches)
        expected = {str(n) for n, person in enumerate(people) if holds(rules, person)}
        one_by_one = Customer.objects.filter(compile_rules(rules_as_sent, now=NOW, zone=INDIA))
        assert names(one_by_one) == expected
        at_once = RuleContext(now=NOW, zone=INDIA, at_once=True)
        assert names(Customer.objects.filter(compile_tree(rules_as_sent, at_once).q)) == expected
        assert names(counted_at_once(rules_as_sent)) == expected
    finally:
        transaction.savepoint_rollback(savepoint)


def names(found: QuerySet[Customer]) -> set[str]:
    return set(found.values_list("first_name", flat=True)) - {"x"}


def counted_at_once(rules: dict[str, Any]) -> QuerySet[Customer]:
    tally = Tally()
    q = compile_tree(rules, RuleContext(now=NOW, zone=INDIA, tally=tally)).q
    tally.take(Customer.objects.all())
    return tally.joined(Customer.objects.all()).filter(q)


def test_the_compiler_agrees_with_a_plain_evaluator(chain: Chain) -> None:
    for key, kind in (("skin", "text"), ("miles", "number"), ("window", "boolean")):
        AttributeDefinition.objects.create(key=key, label=key, type=kind)
    Branch.objects.filter(pk=chain.north.pk).update(
        latitude=PLACES["india"][0], longitude=PLACES["india"][1]
    )
    for plan in ("Gold", "Silver"):  # somebody of each, so that there is something to choose
        MembershipFactory(customer__status="merged", plan=plan, customer__first_name="x")
    check({"india": chain.north, "london": BranchFactory(time_zone=LONDON)})
