"""Adding, removing and moving conditions in the rule builder, by its buttons and by dragging."""

import re

import pytest

from marketing.segments.models import Segment
from tests.factories.segments import (
    condition,
    group,
)
from tests.segments.test_pages import paths, post

TREE = group(
    "AND",
    condition("visit_count", "eq", 1),
    group("OR", condition("total_spend", "eq", 5), condition("tags", "contains", "vip")),
)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            "add-condition:rules",
            [
                "0 visit_count",
                "1.conditions.0 total_spend",
                "1.conditions.1 tags",
                "2 last_visit_days",
            ],
        ),
        (
            "add-group:rules.conditions.1",
            [
                "0 visit_count",
                "1.conditions.0 total_spend",
                "1.conditions.1 tags",
                "1.conditions.2.conditions.0 last_visit_days",
            ],
        ),
        ("remove:rules.conditions.0", ["0.conditions.0 total_spend", "0.conditions.1 tags"]),
        ("remove:rules.conditions.1", ["0 visit_count"]),
        (
            "up:rules.conditions.1",
            ["0.conditions.0 total_spend", "0.conditions.1 tags", "1 visit_count"],
        ),
        (
            "down:rules.conditions.1.conditions.0",
            ["0 visit_count", "1.conditions.0 tags", "1.conditions.1 total_spend"],
        ),
        *(
            (
                action,
                ["0 visit_count", "1.conditions.0 total_spend", "1.conditions.1 tags"],
            )
            for action in (
                "up:rules.conditions.0",
                "down:rules.conditions.1",
                "remove:rules",
                "remove:rules.conditions.9",
                "remove:elsewhere.conditions.0",
                "add-condition:rules.conditions.0",
                "redraw",
                "nonsense",
            )
        ),
    ],
)
def test_the_buttons_of_the_builder(people, login, action, expected):
    response = post(login("manager"), "/segments/new", TREE, action, name="Unsaved")
    assert response.status_code == 200
    assert paths(response) == [f"rules.conditions.{path}" for path in expected]
    assert "Unsaved" in response.content.decode()
    assert not Segment.objects.exists()


DEEP = group(
    "AND",
    condition("visit_count", "eq", 1),
    group("OR", group("NOT", condition("tags", "contains", "vip"))),
    condition("visit_count", "eq", 1),
)


@pytest.mark.parametrize(
    ("tree", "action", "expected"),
    [
        # Into the group that follows, at its beginning.
        (
            TREE,
            "in:rules.conditions.0",
            ["0.conditions.0 visit_count", "0.conditions.1 total_spend", "0.conditions.2 tags"],
        ),
        # Into the group before, at its end.
        (
            DEEP,
            "in:rules.conditions.2",
            [
                "0 visit_count",
                "1.conditions.0.conditions.0 tags",
                "1.conditions.1 visit_count",
            ],
        ),
        (
            TREE,
            "out:rules.conditions.1.conditions.0",
            ["0 visit_count", "1.conditions.0 tags", "2 total_spend"],
        ),
        # A group that loses its last condition goes.
        (
            DEEP,
            "out:rules.conditions.1.conditions.0.conditions.0",
            ["0 visit_count", "1.conditions.0 tags", "2 visit_count"],
        ),
        (
            DEEP,
            "out:rules.conditions.1.conditions.0",
            ["0 visit_count", "1.conditions.0 tags", "2 visit_count"],
        ),
        (
            DEEP,
            "move:rules.conditions.2:rules.conditions.1.conditions.0:0",
            [
                "0 visit_count",
                "1.conditions.0.conditions.0 visit_count",
                "1.conditions.0.conditions.1 tags",
            ],
        ),
        (
            TREE,
            "move:rules.conditions.0:rules:2",
            ["0.conditions.0 total_spend", "0.conditions.1 tags", "1 visit_count"],
        ),
        *(
            (
                TREE,
                action,
                ["0 visit_count", "1.conditions.0 total_spend", "1.conditions.1 tags"],
            )
            for action in (
                "out:rules.conditions.0",
                "in:rules.conditions.1",
                "in:rules.conditions.7",
                "in:rules",
                "out:rules",
                "move:rules.conditions.0:rules:0",
                "move:rules.conditions.0:rules:1",
                "move:rules.conditions.0:rules:9",
                "move:rules.conditions.0:rules:99999",
                "move:rules.conditions.0:rules:²",
                "move:rules.conditions.²:rules:0",
                "move:rules.conditions.0:rules.conditions.0:0",
                "move:rules.conditions.0:rules.conditions.5:0",
                "move:rules.conditions.1:rules.conditions.1:0",
                "move:rules.conditions.1:rules.conditions.1.conditions.0:0",
                "move:rules:rules.conditions.1:0",
                "move:rules.conditions.0",
                "move:",
            )
        ),
    ],
)
def test_moving_by_buttons_and_by_dragging(people, login, tree, action, expected):
    response = post(login("manager"), "/segments/new", tree, action)
    assert response.status_code == 200
    assert paths(response) == [f"rules.conditions.{path}" for path in expected]


def test_only_what_can_be_done_is_offered(people, login):
    page = post(login("manager"), "/segments/new", DEEP, "redraw").content.decode()
    assert set(re.findall(r'value="(in:[\w.]+)"', page)) == {
        "in:rules.conditions.0",
        "in:rules.conditions.2",
    }
    assert set(re.findall(r'value="(out:[\w.]+)"', page)) == {
        "out:rules.conditions.1.conditions.0",
        "out:rules.conditions.1.conditions.0.conditions.0",
    }


def test_what_was_moved_is_pointed_at(people, login):
    page = post(login("manager"), "/segments/new", TREE, "in:rules.conditions.0")
    pointed = re.findall(r'id="([\w-]+)"[^>]* autofocus', page.content.decode())
    assert pointed == ["rules-conditions-0-conditions-0-field"]
