"""The compiler against a plain evaluator, on random rules and random customers."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from customers.models import (
    Customer,
)
from marketing.segments.compiler import compile_rules, compile_tree
from marketing.segments.context import RuleContext
from marketing.segments.counting import Counting
from marketing.segments.fields import Fields
from marketing.segments.tally import Tally
from tests.factories.core import Chain
from tests.segments.plain_days_and_places import INDIA, NOW
from tests.segments.plain_evaluator import holds
from tests.segments.random_customers import CUSTOMER
from tests.segments.random_rules import OPERANDS, RULES
from tests.segments.random_world import (
    ATTRIBUTES,
    World,
    declare_attributes,
    insert,
    make_world,
    spelled,
)

# Below an OR, `~Q` once lost people without the joined row.
NOBODY = {
    **dict.fromkeys(
        ("branch", "birth_date", "anniversary", "facts", "consent", "place", "points", "came")
    ),
    **dict.fromkeys(ATTRIBUTES),
    **dict.fromkeys(("gender", "phone", "email"), ""),
    **{
        name: []
        for name in (
            *("tags", "visits", "purchases", "events", "messages"),
            *("rhythms", "plans", "packages", "offers", "codes", "friends"),
        )
    },
    "created_at": NOW,
    "language": "en",
    "preferred_channel": "whatsapp",
    "is_listed": False,
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
# Somebody without a branch, of whose zone nothing is known, lives by the chain's clock there, too.
OF_NO_ZONE = {
    "operator": "OR",
    "conditions": [
        {"segment": "segment:indian", "op": "in"},
        {
            "operator": "NOT",
            "conditions": [{"field": "last_visit_days", "op": "eq", "value": 2}],
        },
    ],
}
CAME = NOBODY | {"facts": {"last_visit_at": NOW - dt.timedelta(hours=40)}}


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rules=RULES, people=st.lists(CUSTOMER, min_size=1, max_size=6))
@example(rules=NOT_BELOW_OR, people=[NOBODY])
@example(rules=OF_NO_ZONE, people=[CAME])
def check(world: World, rules: dict[str, Any], people: list[dict[str, Any]]) -> None:
    savepoint = transaction.savepoint()
    try:
        insert(people, world)
        rules_as_sent = spelled(rules, world)
        expected = {str(n) for n, person in enumerate(people) if holds(rules, person)}
        one_by_one = Customer.objects.filter(compile_rules(rules_as_sent, now=NOW, zone=INDIA))
        assert names(one_by_one) == expected
        at_once = RuleContext(now=NOW, zone=INDIA, at_once=True)
        assert names(Customer.objects.filter(compile_tree(rules_as_sent, at_once).q)) == expected
        assert names(counted_at_once(rules_as_sent)) == expected
        counting = Counting(None)
        assert counting.count(compile_tree(rules_as_sent, at_once).q) == len(expected)
        q = compile_rules(rules_as_sent, now=NOW, zone=INDIA)
        assert names(counting.some(q, len(people))) == expected
    finally:
        transaction.savepoint_rollback(savepoint)


def names(found: QuerySet[Customer]) -> set[str]:
    return set(found.values_list("first_name", flat=True)) - {"x"}


def counted_at_once(rules: dict[str, Any]) -> QuerySet[Customer]:
    tally = Tally()
    q = compile_tree(rules, RuleContext(now=NOW, zone=INDIA, tally=tally)).q
    tally.take(Customer.objects.all())
    return tally.joined(Customer.objects.all()).filter(q)


def test_every_field_is_drawn_with_every_operator(chain: Chain) -> None:
    declare_attributes()
    drawn = {name: {op for op, _values in pairs} for name, pairs in OPERANDS.items()}
    drawn["has_active_package"] = drawn["has_package"]  # as Module 11 spells it
    known = Fields().all()
    missing = {field.name: set(field.operators) - drawn.get(field.name, set()) for field in known}
    assert {name: operators for name, operators in missing.items() if operators} == {}


def test_the_compiler_agrees_with_a_plain_evaluator(chain: Chain) -> None:
    check(make_world(chain))
