"""Rules as deep, as wide and as far back as they may be, and one step beyond, over HTTP."""

import json
import sys
from itertools import cycle
from typing import Any

import pytest
from django.template import RequestContext, Template

from customers.models import Customer
from marketing.segments.builder.nodes import Builder
from marketing.segments.fields import Fields
from marketing.segments.models import Segment
from tests.factories.segments import SegmentFactory, condition, group
from tests.segments.test_pages import form_of, post

ONE = condition("visit_count", "gte", 1)
DEEPEST = 50
OPERATORS = [("NOT",), ("AND",), ("OR",), ("NOT", "AND"), ("NOT", "OR"), ("AND", "OR", "NOT")]


def nested(operators: tuple[str, ...], depth: int, *beside: dict[str, Any]) -> dict[str, Any]:
    rules = ONE
    for _level, operator in zip(range(depth), cycle(operators), strict=False):
        rules = group(operator, rules, *beside)
    return rules


def held(node: dict[str, Any], visits: int) -> bool:
    """Plainly judged, where every condition is on the number of visits."""
    if "field" in node:
        return visits >= node["value"] if node["op"] == "gte" else visits == node["value"]
    verdicts = [held(child, visits) for child in node["conditions"]]
    return {"AND": all, "OR": any, "NOT": lambda each: not any(each)}[node["operator"]](verdicts)


def expected(rules: dict[str, Any]) -> int:
    return sum(held(rules, visits) for visits in (3, 3, 0))


@pytest.mark.parametrize("beside", [[], [condition("visit_count", "eq", 9)]])
@pytest.mark.parametrize("operators", OPERATORS)
def test_the_deepest_rules_work(people, api, login, operators, beside):
    rules = nested(operators, DEEPEST, *beside)
    previewed = api("owner", "post", "segments/preview", {"rules": rules})
    assert previewed.json()["data"]["customerCount"] == expected(rules)
    made = api("owner", "post", "segments", {"name": "Deep", "rules": rules})
    assert made.status_code == 201
    segment = made.json()["data"]["segment"]
    assert segment["customerCount"] == expected(rules)
    assert api("owner", "get", f"segments/{segment['id']}/customers").status_code == 200
    client = login("owner")
    person = Customer.objects.get(first_name="north")
    assert client.get(f"/segments/{segment['id']}?customer={person.pk}").status_code == 200
    page = post(client, "/segments/preview", rules).content.decode()
    assert f"<b>{expected(rules)}</b>" in page
    assert post(client, "/segments/new", rules, name="By the page").status_code == 302
    assert Segment.objects.filter(name="By the page").exists()


@pytest.mark.parametrize("operators", OPERATORS)
def test_one_level_more_is_refused_at_its_place(people, api, login, operators):
    rules = nested(operators, DEEPEST + 1)
    path = "rules" + ".conditions.0" * DEEPEST
    for url, body in (("segments/preview", {}), ("segments", {"name": "Too deep"})):
        response = api("owner", "post", url, body | {"rules": rules})
        assert response.status_code == 400
        assert list(response.json()["error"]["fields"]) == [path]
    for url in ("/segments/preview", "/segments/new"):
        page = post(login("owner"), url, rules, name="Too deep").content.decode()
        assert "Groups are nested at most 50 deep." in page
    assert not Segment.objects.exists()


@pytest.mark.parametrize("depth", [400, 5_000])
def test_rules_without_end_are_refused(people, login, depth):
    rules = '{"operator": "NOT", "conditions": [' * depth + json.dumps(ONE) + "]}" * depth
    body = f'{{"rules": {rules}}}'
    response = login("owner").post("/api/v1/segments/preview", body, "application/json")
    assert response.status_code == 400


@pytest.mark.parametrize("op", ["in", "not_in"])
def test_named_segments_nest_no_deeper(people, api, op):
    rules = group("NOT", ONE)
    for _level in range(DEEPEST - 1):
        segment = SegmentFactory(rules=rules)
        rules = group("NOT", {"segment": str(segment.pk), "op": op})
    response = api("owner", "post", "segments/preview", {"rules": rules})
    assert response.status_code == 200
    # Fifty NOTs are none; with as many `not_in` but one, they are one.
    assert response.json()["data"]["customerCount"] == (2 if op == "in" else 1)
    segment = SegmentFactory(rules=rules)
    rules = group("NOT", {"segment": str(segment.pk), "op": op})
    response = api("owner", "post", "segments/preview", {"rules": rules})
    assert list(response.json()["error"]["fields"]) == ["rules.conditions.0.segment"]


@pytest.mark.parametrize("kind", ["visit", "purchase", "event", "message"])
def test_the_earliest_day_is_before_all_time(people, api, login, kind):
    counted = {kind: {}, "count": {"op": "eq", "value": 0}, "within": {"days": 36_500}}
    rules = group("AND", counted)
    response = api("owner", "post", "segments/preview", {"rules": rules})
    assert response.json()["data"]["customerCount"] == 3
    form = {
        "rules.operator": "AND",
        "rules.conditions.0.field": kind,
        "rules.conditions.0.was": kind,
        "rules.conditions.0.op": "eq",
        "rules.conditions.0.value": "0",
        "rules.conditions.0.days": "36500",
    }
    assert "<b>3</b>" in login("owner").post("/segments/preview", form).content.decode()


def test_what_the_preview_cannot_judge_it_says(people, login):
    for more in ({"branch_ids": ["x"]}, {"branch_ids": [str(people.tenant.pk)]}):
        page = login("owner").post("/segments/preview", form_of(group("AND", ONE)) | more)
        assert "There is no such branch among yours." in page.content.decode()
    more = {"segment_id": "x"}
    page = login("owner").post("/segments/preview", form_of(group("AND", ONE)) | more)
    assert "There is no such segment." in page.content.decode()


def test_a_fault_of_ours_is_not_taken_for_one_of_the_rules(people, login, monkeypatch):
    def fail(*_args: Any, **_options: Any) -> None:
        raise ValueError("ours")

    monkeypatch.setattr("marketing.segments.selectors.preview", fail)
    with pytest.raises(ValueError, match="ours"):
        post(login("owner"), "/segments/preview", group("AND", ONE))


def test_the_page_takes_as_many_conditions_as_the_api(people, login):
    rules = group("OR", *[condition("visit_count", "between", [n, n + 1]) for n in range(500)])
    page = post(login("owner"), "/segments/preview", rules)
    assert "<b>3</b>" in page.content.decode()
    response = post(login("owner"), "/segments/new", rules, name="Wide")
    assert response.status_code == 302
    assert Segment.objects.get(name="Wide").rules == rules


@pytest.mark.parametrize("count", [501, 1_000])
def test_one_condition_more_is_refused_with_a_sentence(people, login, count):
    rules = group("OR", *[condition("visit_count", "between", [n, n + 1]) for n in range(count)])
    for url, status in (("/segments/preview", 200), ("/segments/new", 422)):
        response = post(login("owner"), url, rules, name="Wide")
        assert response.status_code == status
        assert "At most 500 conditions" in response.content.decode()
    assert not Segment.objects.exists()


def test_deep_rules_are_drawn_on_a_short_stack(people, rf):
    """On a web worker's stack there are frames below these that a test does not have."""
    root = Builder(Fields(), Segment.objects.none()).root(nested(("AND",), DEEPEST))
    request = rf.get("/segments/new")
    page = Template("{% load segments %}{% draw_group root %}")
    used, frame = 0, sys._getframe()
    while frame := frame.f_back:
        used += 1
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(used + 200)
    try:
        drawn = page.render(RequestContext(request, {"root": root}))
    finally:
        sys.setrecursionlimit(limit)
    assert drawn.count('class="rule-group') == DEEPEST
    assert drawn.index(f'id="{"-".join(["rules", *["conditions-0"] * (DEEPEST - 1)])}"') > 0
