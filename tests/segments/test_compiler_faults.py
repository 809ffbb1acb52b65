"""Every kind of bad rule, at its path."""

import json
import math
from typing import Any

import pytest

from tests.factories.segments import (
    SegmentFactory,
    condition,
    group,
    where,
)
from tests.segments.test_compiler import faults, names, person

BAD: list[tuple[Any, str]] = [
    (None, "rules"),
    ([], "rules"),
    ("x", "rules"),
    ({}, "rules.operator"),
    ({"operator": "AND"}, "rules.conditions"),
    ({"operator": "AND", "conditions": []}, "rules.conditions"),
    ({"operator": "AND", "conditions": {}}, "rules.conditions"),
    ({"operator": "and", "conditions": [condition("tags", "is_set")]}, "rules.operator"),
    ({"operator": ["AND"], "conditions": [condition("tags", "is_set")]}, "rules.operator"),
    (group("AND", condition("tags", "is_set")) | {"sql": "1=1"}, "rules.sql"),
    (group("AND", 7), "rules.conditions.0"),  # type: ignore[arg-type]
    (group("AND", {}), "rules.conditions.0.operator"),
    (where("no_such", "eq", 1), "rules.conditions.0.field"),
    (where("1; DROP TABLE customers_customer", "eq", 1), "rules.conditions.0.field"),
    (where("facts__visit_count", "eq", 1), "rules.conditions.0.field"),
    (where(["visit_count"], "eq", 1), "rules.conditions.0.field"),  # type: ignore[arg-type]
    (where("attribute.", "eq", 1), "rules.conditions.0.field"),
    (where("visit_count", "like", 1), "rules.conditions.0.op"),
    (where("visit_count", "contains", 1), "rules.conditions.0.op"),
    (where("visit_count", ["eq"], 1), "rules.conditions.0.op"),  # type: ignore[arg-type]
    (group("AND", {"field": "visit_count", "value": 1}), "rules.conditions.0.op"),
    (where("visit_count", "eq"), "rules.conditions.0.value"),
    (where("visit_count", "eq", "1"), "rules.conditions.0.value"),
    (where("visit_count", "eq", "1 OR 1=1"), "rules.conditions.0.value"),
    (where("visit_count", "eq", True), "rules.conditions.0.value"),
    (where("visit_count", "eq", 1.5), "rules.conditions.0.value"),
    (where("visit_count", "eq", math.nan), "rules.conditions.0.value"),
    (where("visit_count", "eq", math.inf), "rules.conditions.0.value"),
    (where("visit_count", "eq", 10**400), "rules.conditions.0.value"),
    (where("visit_count", "eq", {"$gt": 0}), "rules.conditions.0.value"),
    (where("visit_count", "in", []), "rules.conditions.0.value"),
    (where("visit_count", "in", 5), "rules.conditions.0.value"),
    (where("visit_count", "in", list(range(1001))), "rules.conditions.0.value"),
    (where("visit_count", "between", [9, 1]), "rules.conditions.0.value"),
    (where("visit_count", "between", [1]), "rules.conditions.0.value"),
    (where("visit_count", "is_set", 4), "rules.conditions.0.value"),
    (where("last_visit_days", "gt", -1), "rules.conditions.0.value"),
    (where("last_visit_days", "gt", 10**9), "rules.conditions.0.value"),
    (where("total_spend", "gt", "NaN"), "rules.conditions.0.value"),
    (where("total_spend", "gt", "Infinity"), "rules.conditions.0.value"),
    (where("total_spend", "gt", "1e999999"), "rules.conditions.0.value"),
    (where("total_spend", "gt", "12 rupees"), "rules.conditions.0.value"),
    (where("total_spend", "gt", 0.001), "rules.conditions.0.value"),
    (where("birthday_month", "eq", 13), "rules.conditions.0.value"),
    (where("birthday_month", "eq", "May"), "rules.conditions.0.value"),
    (where("birthday_month", "eq", True), "rules.conditions.0.value"),
    (where("membership_status", "eq", "gold"), "rules.conditions.0.value"),
    (where("home_branch", "eq", "not-a-branch"), "rules.conditions.0.value"),
    (
        where("home_branch", "in", ["019a0000-0000-7000-8000-000000000000"]),
        "rules.conditions.0.value",
    ),
    (where("has_package", "eq", 1), "rules.conditions.0.value"),
    (where("has_package", "eq", "true"), "rules.conditions.0.value"),
    (where("tags", "contains", " "), "rules.conditions.0.value"),
    (where("tags", "contains", "a\x00b"), "rules.conditions.0.value"),
    (where("tags", "contains", "\ud800"), "rules.conditions.0.value"),
    (where("tags", "contains", "x" * 201), "rules.conditions.0.value"),
    (group("AND", {"segment": "nope", "op": "in"}), "rules.conditions.0.segment"),
    (group("AND", {"segment": 5, "op": "in"}), "rules.conditions.0.segment"),
    (
        group("AND", {"segment": "019a0000-0000-7000-8000-000000000000", "op": "in"}),
        "rules.conditions.0.segment",
    ),
]


@pytest.mark.parametrize(
    ("rules", "path"), BAD, ids=[f"{i}-{path}" for i, (_, path) in enumerate(BAD)]
)
def test_bad_rules_are_named_at_their_path(chain, rules, path):
    assert path in faults(rules)


def test_every_fault_is_told_at_once(chain):
    rules = group(
        "AND",
        condition("visit_count", "gt", "many"),
        group("OR", condition("tags", "is_set"), condition("unknown", "eq", 1)),
        {"segment": "x", "op": "within"},
    )
    assert set(faults(rules)) == {
        "rules.conditions.0.value",
        "rules.conditions.1.conditions.1.field",
        "rules.conditions.2.segment",
        "rules.conditions.2.op",
    }


def test_sql_and_emoji_are_only_text(chain):
    nasty = "'; DROP TABLE customers_customer; --"
    person("nasty", tags=[nasty, "💇‍♀️", "50% _off_"])
    for tag in (nasty, "💇‍♀️", "50% _off_"):
        assert names(where("tags", "contains", tag)) == {"nasty"}
    assert names(where("tags", "contains", "%")) == set()


def nested(depth: int) -> dict[str, Any]:
    rules = where("visit_count", "gte", 0)
    for _ in range(depth - 1):
        rules = group("NOT", rules)
    return rules


def test_depth_is_bounded(chain):
    person("anyone")
    assert names(nested(49)) == {"anyone"}
    (path,) = faults(nested(51))
    assert path == "rules" + ".conditions.0" * 50


def test_the_number_of_conditions_is_bounded(chain):
    person("anyone")
    one = condition("visit_count", "gte", 0)
    assert names(group("AND", *[one] * 500)) == {"anyone"}
    assert list(faults(group("AND", *[one] * 501))) == ["rules.conditions.500"]


def test_named_segments_cannot_blow_up(chain):
    """Each names the former twice: 2^20 conditions if nothing stopped it."""
    segment = SegmentFactory()
    for _ in range(20):
        reference = {"segment": str(segment.pk), "op": "in"}
        segment = SegmentFactory(rules=group("AND", reference, reference))
    fields = faults(group("AND", {"segment": str(segment.pk), "op": "in"}))
    assert list(fields) == ["rules.conditions.0.segment"]


def test_a_broken_named_segment_is_told_where_it_is_named(chain):
    broken = SegmentFactory(name="Old", rules=where("attribute.gone", "eq", "x"))
    fields = faults(group("AND", {"segment": str(broken.pk), "op": "in"}))
    assert "“Old” cannot be used" in fields["rules.conditions.0.segment"][0]


def test_rules_survive_json(chain):
    person("rich", facts={"total_spend": "10000.01"})
    person("edge", facts={"total_spend": "10000.00"})
    rules = json.loads(
        '{"operator":"AND","conditions":[{"field":"total_spend","op":"gt","value":10000}]}'
    )
    assert names(rules) == {"rich"}
    assert names(where("total_spend", "gte", "10000.00")) == {"rich", "edge"}
    assert names(where("visit_count", "eq", 0.0)) == {"rich", "edge"}
