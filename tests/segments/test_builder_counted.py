"""Counted behaviour and places in the rule builder."""

import html
import re

from marketing.segments.models import Segment

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
