"""What stands beside the builder: why somebody is in it, overlaps, cards of other apps, history."""

import datetime as dt
import re

import pytest

from customers.models import Customer
from marketing.core import clock
from marketing.segments import panels
from marketing.segments.models import SegmentSize
from tests.factories.customers import CustomerFactory
from tests.factories.segments import SegmentFactory, StaticSegmentFactory, condition, group, where
from tests.segments.test_pages import COMERS, form_of, post

EVERYBODY = where("visit_count", "gte", 0)


def ask(client, path, rules, **more):
    return client.post(f"/segments/preview{path}", form_of(rules) | more).content.decode()


def test_a_sample_says_why(people, login):
    inner = SegmentFactory(name="Inner", rules=COMERS)
    rules = group(
        "OR",
        group("AND", condition("visit_count", "gte", 3), condition("visit_count", "lt", 9)),
        condition("total_spend", "gt", "5"),
        {"segment": str(inner.pk), "op": "in"},
        group("NOT", condition("visit_count", "eq", 3)),
    )
    page = ask(login("owner"), "", rules)
    sample = page.split("segment-sample")[1]
    told = [re.findall(r'sample-reason">([^<]+)<', person) for person in sample.split("<li>")[1:]]
    # Told once a value; not what holds in a group that does not, nor what must not hold.
    assert sorted(told) == [
        [],
        ["Number of visits: 3", "Is in “Inner”"],
        ["Number of visits: 3", "Is in “Inner”"],
    ]


def test_the_rule_is_read_in_both_languages(people, login):
    page = ask(login("owner"), "", COMERS)
    assert 'lang="en">Everybody whose number of visits is at least 1.<' in page
    assert re.search(r'lang="hi">[^<]*[\u0900-\u097f]', page)


def test_overlap(people, login):
    norths = StaticSegmentFactory(
        name="Norths", members=Customer.objects.filter(home_branch=people.north)
    )
    comers = SegmentFactory(name="Comers", rules=COMERS)
    CustomerFactory(home_branch=people.south)
    chosen = [str(norths.pk), str(comers.pk)]
    page = ask(login("owner"), "/overlap", where("visit_count", "gte", 3), compared_with=chosen)
    sizes = [int(text) for text in re.findall(r"<dd>(\d+)", page)]
    # Of two comers one is of the north, where there is another; both are in the other segment.
    assert sizes == [0, 2, 0, 1, 1, 1]
    assert "0 of 2 are in none" in page
    assert "1 are in all of them" in page
    assert 'width="33.3333%"' in page


def test_overlap_keeps_to_one_s_branches_and_segments(people, login):
    comers = SegmentFactory(name="Comers", rules=COMERS)
    theirs = SegmentFactory(name="Theirs", rules=COMERS, branch_ids=[people.south.pk])
    manager = login("manager")
    chosen = [str(comers.pk), str(theirs.pk)]
    page = ask(manager, "/overlap", EVERYBODY, compared_with=chosen)
    assert re.findall(r"<dd>(\d+)", page) == ["1", "1", "0"]
    assert "Theirs" not in page


@pytest.mark.parametrize(
    ("rules", "chosen"),
    [(EVERYBODY, []), (EVERYBODY, ["x"]), (where("visit_count", "gt", "x"), None)],
)
def test_nothing_to_compare(people, login, rules, chosen):
    if chosen is None:
        chosen = [str(SegmentFactory().pk)]
    assert ask(login("owner"), "/overlap", rules, compared_with=chosen).strip() == ""


def test_at_most_three_are_compared_in_one_statement(people, login, django_assert_max_num_queries):
    chosen = [str(SegmentFactory(rules=COMERS).pk) for _ in range(5)]
    client = login("owner")
    ask(client, "/overlap", EVERYBODY, compared_with=chosen)
    with django_assert_max_num_queries(14):
        page = ask(client, "/overlap", EVERYBODY, compared_with=chosen)
    assert page.count("overlap-name") == 3


def test_cards_of_other_apps(people, login, monkeypatch):
    seen = []

    def content(audience):
        seen.append(set(audience.values_list("first_name", flat=True)))
        return {"segments": []}

    card = panels.Panel("Their card", "segments/_customer.html", content)
    monkeypatch.setattr(panels, "_panels", [card])
    assert "Their card" in ask(login("manager"), "/panels", EVERYBODY)
    assert seen == [{"north", "never"}]
    assert ask(login("manager"), "/panels", where("visit_count", "gt", "x")).strip() == ""


def test_all_of_it_without_scripts(people, login):
    other = SegmentFactory(name="Other", rules=COMERS)
    response = post(
        login("owner"), "/segments/new", EVERYBODY, "preview", compared_with=[str(other.pk)]
    )
    page = response.content.decode()
    assert re.search(r"<b>3</b>\s*customers now", page)
    assert "overlap-name" in page
    assert f'value="{other.pk}" selected' in page
    assert "What it costs to reach them" in page


def test_history_is_a_chart_with_its_numbers(people, login):
    segment = SegmentFactory(name="Watched", rules=COMERS)
    client = login("manager")
    detail = f"/segments/{segment.pk}"
    today = clock.now().date()
    for age, north, south in ((40, 2, 9), (10, 6, 9), (1, 4, 9)):
        SegmentSize.objects.create(
            segment=segment,
            day=today - dt.timedelta(days=age),
            customer_count=north + south,
            branch_counts={str(people.north.pk): north, str(people.south.pk): south},
        )
    page = client.get(detail).content.decode()
    line = re.search(r'<polyline[^>]* points="([^"]+)"', page)
    assert line[1] == "6.0,134.0 458.3,6.0 594.0,70.0"
    assert "lowest 2, highest 6" in page
    owners = login("owner").get(detail).content.decode()
    assert "lowest 11, highest 15" in owners


def test_one_day_is_no_history(people, login):
    segment = SegmentFactory()
    SegmentSize.objects.create(segment=segment, day=clock.now().date(), customer_count=1)
    assert "history-chart" not in login("owner").get(f"/segments/{segment.pk}").content.decode()


def test_receptionists_ask_for_nothing(people, login):
    client = login("receptionist")
    for path in ("", "/overlap", "/panels"):
        assert client.post(f"/segments/preview{path}", form_of(COMERS)).status_code == 403
