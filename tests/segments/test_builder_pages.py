"""The rule builder, by plain form posts; HTMX gets fragments of the same."""

import re
from urllib.parse import urlencode

from marketing.segments.models import Segment
from tests.factories.segments import (
    SegmentFactory,
    condition,
    group,
    where,
)
from tests.segments.test_builder_moves import TREE
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
    assert "Please fill this in" in response.content.decode()
    assert not Segment.objects.exists()


def test_another_s_branch_cannot_be_chosen(people, login):
    response = post(
        login("manager"), "/segments/new", COMERS, name="x", branch_ids=[str(people.south.pk)]
    )
    assert response.status_code == 422
    assert not Segment.objects.exists()


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


def test_what_a_field_just_chosen_is_compared_with_is_seen_before_it_is_saved(people, login):
    client = login("manager")
    chosen = form_of(where("last_visit_days", "between", [3, 9])) | {
        "rules.conditions.0.field": "membership_status",
        "action": "save",
        "name": "Members",
    }
    response = client.post("/segments/new", chosen)
    assert response.status_code == 422
    page = response.content.decode()
    assert 'value="active" selected' in page
    assert re.search(r'id="rules-conditions-0-error">\s*<span>Choose what it is compared', page)
    assert not Segment.objects.exists()


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


def test_the_first_rules_may_stand_in_the_address(people, login):
    rule = {"rules.conditions.0.field": "total_spend", "rules.conditions.0.op": "gt"}
    page = login("manager").get("/segments/new", rule | {"rules.conditions.0.value": "7500"}).text
    assert 'value="total_spend" selected' in page
    assert 'value="7500"' in page
    for nonsense in ({"rules.conditions.0.field": "nope"}, {"rules.conditions.9.x": "1"}):
        assert login("manager").get("/segments/new", nonsense).status_code == 200
    assert not Segment.objects.exists()
