"""The rule builder, by plain form posts; HTMX gets fragments of the same."""

import html
import re
from urllib.parse import urlencode

import pytest

from marketing.segments.models import Segment
from tests.factories.segments import (
    SegmentFactory,
    condition,
    group,
    where,
)
from tests.segments.test_pages import COMERS, form_of, paths, post


def test_making_one(people, login):
    inner = SegmentFactory()
    rules = group(
        "AND",
        condition("last_visit_days", "not_set"),
        group(
            "OR",
            condition("total_spend", "lt", "1,25,000.50"),
            condition("visit_count", "between", [0, 4]),
            condition("home_branch", "in", [str(people.north.pk), str(people.south.pk)]),
            condition("birthday_month", "in", ["current", "5"]),
            condition("tags", "in", "vip, bride"),
            condition("has_package", "eq", True),
            {"segment": str(inner.pk), "op": "not_in"},
        ),
    )
    response = post(login("manager"), "/segments/new", rules, name="Made", description="d")
    segment = Segment.objects.get(name="Made")
    assert response.headers["Location"] == f"/segments/{segment.pk}"
    assert segment.branch_ids == [people.north.pk]
    spend, visits, branch, month, tags, package, other = segment.rules["conditions"][1][
        "conditions"
    ]
    assert spend["value"] == "125000.50"
    assert visits["value"] == [0, 4]
    assert branch["value"] == [str(people.north.pk), str(people.south.pk)]
    assert month["value"] == ["current", 5]
    assert tags["value"] == ["vip", "bride"]
    assert package == {"field": "has_package", "op": "eq", "value": True}
    assert other == {"segment": str(inner.pk), "op": "not_in"}


def test_mistakes_stand_at_their_condition(people, login):
    rules = group("AND", *COMERS["conditions"], condition("total_spend", "gt", "lots"))
    response = post(login("owner"), "/segments/new", rules, name="Kept <name>")
    page = response.content.decode()
    assert response.status_code == 422
    assert re.search(r'id="rules-conditions-1-error">\s*<span>Enter an amount', page)
    assert 'value="lots"' in page
    assert "Kept &lt;name&gt;" in page
    assert not Segment.objects.exists()


def test_a_name_is_needed(people, login):
    response = post(login("owner"), "/segments/new", COMERS, name=" ")
    assert response.status_code == 422
    assert "This field is required" in response.content.decode()
    assert not Segment.objects.exists()


def test_another_s_branch_cannot_be_chosen(people, login):
    response = post(
        login("manager"), "/segments/new", COMERS, name="x", branch_ids=[str(people.south.pk)]
    )
    assert response.status_code == 422
    assert not Segment.objects.exists()


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


def test_htmx_gets_the_rules_only(people, login):
    client = login("manager")
    body = form_of(TREE) | {"action": "add-condition:rules"}
    response = client.post("/segments/new", body, headers={"HX-Request": "true"})
    assert response.headers["HX-Trigger"] == "rules-changed"
    assert len(paths(response)) == 4
    assert "<html" not in response.content.decode()


def test_another_field_begins_with_its_own_operator(people, login):
    body = form_of(where("last_visit_days", "between", [3, 9])) | {
        "rules.conditions.0.field": "membership_status",
        "action": "redraw",
    }
    page = login("manager").post("/segments/new", body).content.decode()
    assert 'value="active" selected' in page


def test_live_count(people, login):
    client = login("manager")
    page = client.post("/segments/preview", form_of(COMERS)).content.decode()
    assert re.search(r"<b>1</b>\s*customer now", page)
    assert "Everybody whose number of visits is at least 1." in page
    assert "north Sharma" in page
    broken = client.post("/segments/preview", form_of(where("visit_count", "gt", "x")))
    page = broken.content.decode()
    assert re.search(r'id="rules-conditions-0-error" hx-swap-oob="true"><span>Enter a number', page)
    assert "Mend the marked conditions" in page
    theirs = form_of(COMERS) | {"branch_ids": [str(people.south.pk)]}
    assert "<b>1" not in client.post("/segments/preview", theirs).content.decode()


def test_editing(people, login):
    segment = SegmentFactory(name="Old", rules=TREE)
    client = login("owner")
    assert len(paths(client.get(f"/segments/{segment.pk}/edit"))) == 3
    edit = f"/segments/{segment.pk}/edit"
    assert post(client, edit, COMERS, name="New", version=1).status_code == 302
    segment.refresh_from_db()
    assert (segment.name, segment.rules, segment.version) == ("New", COMERS, 2)
    stale = post(client, edit, TREE, name="Late", version=1)
    assert stale.status_code == 422
    assert "in the meantime" in stale.content.decode()
    segment.refresh_from_db()
    assert segment.name == "New"


def test_a_segment_cannot_be_made_to_hold_itself(people, login):
    segment = SegmentFactory(name="Self")
    own = group("AND", {"segment": str(segment.pk), "op": "in"})
    response = post(login("owner"), f"/segments/{segment.pk}/edit", own, name="Self", version=1)
    assert response.status_code == 422
    assert "A segment cannot contain itself" in response.content.decode()


COUNTED = {
    "rules.operator": "AND",
    "rules.conditions.0.field": "visit",
    "rules.conditions.0.was": "visit",
    "rules.conditions.0.op": "between",
    "rules.conditions.0.value.0": "2",
    "rules.conditions.0.value.1": "5",
    "rules.conditions.0.days": "90",
    "rules.conditions.0.filter.0.name": "weekday",
    "rules.conditions.0.filter.0.op": "in",
    "rules.conditions.0.filter.0.value": ["saturday", "sunday"],
    "rules.conditions.0.filter.1.name": "service_name",
    "rules.conditions.0.filter.1.op": "contains",
    "rules.conditions.0.filter.1.value": "",
    "rules.conditions.1.field": "location",
    "rules.conditions.1.was": "location",
    "rules.conditions.1.op": "within_km",
    "rules.conditions.1.km": "5.5",
    "rules.conditions.1.branch": "",
    "rules.conditions.1.lat": "19.06",
    "rules.conditions.1.lng": "72.83",
    "rules.conditions.2.field": "event",
    "rules.conditions.2.was": "event",
    "rules.conditions.2.op": "gte",
    "rules.conditions.2.value": "1",
    "rules.conditions.2.filter.0.name": "property.amount",
    "rules.conditions.2.filter.0.op": "gt",
    "rules.conditions.2.filter.0.value": "500",
    "rules.conditions.2.filter.1.name": "property.code",
    "rules.conditions.2.filter.1.op": "eq",
    "rules.conditions.2.filter.1.value": '"500"',
}
COUNTED_RULES = [
    {
        "visit": {"weekday": ["saturday", "sunday"]},
        "count": {"op": "between", "value": [2, 5]},
        "within": {"days": 90},
    },
    {"field": "location", "op": "within_km", "value": {"km": 5.5, "lat": 19.06, "lng": 72.83}},
    {
        "event": {"property.amount": {"op": "gt", "value": 500}, "property.code": "500"},
        "count": {"op": "gte", "value": 1},
    },
]


def fields_of(page: str) -> dict[str, list[str]]:
    """What a browser would post of the drawn rules."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name = re.search(r'name="(rules[^"]*)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name and value:
            found.setdefault(name[1], []).append(html.unescape(value[1]))
    for name, options in re.findall(
        r'<select[^>]*name="(rules[^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL
    ):
        chosen = re.findall(r'<option value="([^"]*)" selected>', options)
        found.setdefault(name, []).extend(html.unescape(each) for each in chosen)
    return found


def test_counted_behaviour_and_places_by_the_form(people, login):
    client = login("owner")
    client.post("/segments/new", COUNTED | {"action": "save", "name": "Counted"})
    segment = Segment.objects.get(name="Counted")
    assert segment.rules["conditions"] == COUNTED_RULES
    page = client.get(f"/segments/{segment.pk}/edit").content.decode()
    again = fields_of(page) | {"action": "save", "name": "Counted", "version": segment.version}
    response = client.post(f"/segments/{segment.pk}/edit", again)
    assert response.status_code == 302
    segment.refresh_from_db()
    assert segment.rules["conditions"] == COUNTED_RULES
    assert segment.version == 1


def test_mistakes_of_counting_stand_at_their_condition(people, login):
    wrong = COUNTED | {"rules.conditions.0.days": "soon", "action": "save", "name": "Wrong"}
    page = login("owner").post("/segments/new", wrong).content.decode()
    assert re.search(r'id="rules-conditions-0-error">\s*<span>Enter a number', page)
    assert not Segment.objects.exists()


def test_choosing_what_happened_begins_with_once(people, login):
    chosen = {
        "rules.operator": "AND",
        "rules.conditions.0.field": "message",
        "rules.conditions.0.was": "visit_count",
        "action": "redraw",
    }
    page = login("owner").post("/segments/new", chosen).content.decode()
    fields = fields_of(page)
    assert fields["rules.conditions.0.field"] == ["message"]
    assert fields["rules.conditions.0.days"] == ["90"]
    assert "rules.conditions.0.last" in fields


def test_a_form_nested_without_end_is_no_fault_of_ours(people, login):
    deep = "rules" + ".conditions.0" * 3000
    form = {"rules.operator": "AND", f"{deep}.field": "visit_count", "action": "save", "name": "x"}
    response = login("owner").post(
        "/segments/new", urlencode(form), content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 422


def test_rules_as_deep_and_wide_as_they_may_be_are_drawn(people, login):
    rules = where_nested = condition("visit_count", "gte", 0)
    for _level in range(50):
        rules = group("AND", rules)
    wide = group("OR", *[where_nested] * 500)
    for each in (rules, wide):
        segment = SegmentFactory(rules=each)
        assert login("owner").get(f"/segments/{segment.pk}").status_code == 200
        assert login("owner").get(f"/segments/{segment.pk}/edit").status_code == 200
