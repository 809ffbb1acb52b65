"""Whose points expire soon: over HTTP and on a page, by branch, by day, a page at a time."""

import datetime as dt
import uuid

import pytest

from marketing.core.tenancy import tenant_scope
from marketing.loyalty import selectors
from marketing.segments.models import Segment
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import earn, make_programme, spend
from tests.loyalty.conftest import at

FEED, PAGE = "/api/v1/loyalty/expiring", "/points/expiring"
# Scope and login; then one for the rows.
FEED_QUERIES = 8


@pytest.fixture
def people(chain, asha):
    """Points that expire on 20 and 30 June, on 15 July and in a year; of four customers."""
    make_programme(expiry_months=1, point_value_paise=50)
    bela = CustomerFactory(first_name="Bela", home_branch=chain.north)
    south = CustomerFactory(first_name="Southerner", home_branch=chain.south)
    nowhere = CustomerFactory(first_name="Nowhere", home_branch=None)
    earn(asha, 100, at=at("2026-05-20"))
    earn(asha, 40, at=at("2026-05-30"))
    earn(bela, 70)
    spend(bela, 20)
    earn(south, 30)
    earn(nowhere, 5)
    make_programme(expiry_months=12)
    earn(bela, 1_000)
    return asha, bela, south, nowhere


LAST = f"9999-12-31 {uuid.UUID(int=0)}"


def row(customer, points, day):
    return {"customerId": str(customer.pk), "points": points, "expiresOn": day}


def test_the_feed_names_whose_points_expire_and_when(people, login):
    asha, bela, south, nowhere = people
    owner = login("owner")
    rows = [
        row(asha, 140, "2026-06-20"),
        row(bela, 50, "2026-07-15"),
        row(south, 30, "2026-07-15"),
        row(nowhere, 5, "2026-07-15"),
    ]
    assert owner.get(FEED).json()["data"] == rows
    assert owner.get(FEED, {"days": 5}).json()["data"] == [row(asha, 100, "2026-06-20")]
    assert owner.get(FEED, {"days": 4}).json()["data"] == []
    assert len(owner.get(FEED, {"days": 365}).json()["data"]) == 4


def test_today_is_a_day_on_which_points_expire(people, login, go):
    go("2026-06-20", "23:59")
    assert len(login("owner").get(FEED, {"days": 0}).json()["data"]) == 1
    go("2026-06-21", "00:00")
    assert login("owner").get(FEED, {"days": 0}).json()["data"] == []


def test_it_comes_in_pages_by_customer_both_ways(people, login):
    owner = login("owner")
    first = owner.get(FEED, {"limit": 3}).json()
    more = owner.get(FEED, {"limit": 3, "cursor": first["page"]["next"]}).json()
    found = [each["customerId"] for each in first["data"] + more["data"]]
    assert found == [str(customer.pk) for customer in people]
    assert (first["page"]["size"], more["page"]["next"]) == (3, None)
    back = owner.get(FEED, {"limit": 3, "cursor": more["page"]["prev"]}).json()
    assert back["data"] == first["data"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("days", "-1"), ("days", "1000000000"), ("days", "soon"), ("days", "1.5"), ("limit", "0")],
)
def test_what_cannot_be_asked_is_refused_at_its_parameter(people, login, field, value):
    answer = login("owner").get(FEED, {field: value})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])


def test_a_wrong_cursor_is_refused(people, login):
    assert login("owner").get(FEED, {"cursor": "x"}).status_code in (400, 404)


def test_one_sees_the_customers_of_ones_branches(chain, people, login):
    names = [each["customerId"] for each in login("manager").get(FEED).json()["data"]]
    assert names == [str(people[0].pk), str(people[1].pk)]
    shown = login("manager").get(PAGE).text
    assert "Bela" in shown
    assert "Southerner" not in shown
    assert login("manager").get(PAGE, {"branch": chain.south.pk}).context["people"] == []
    for path in (FEED, PAGE):
        assert login("receptionist").get(path).status_code == 403


def test_another_chains_points_are_not_told(people, other_chain, login):
    with tenant_scope(other_chain.tenant.pk):
        make_programme(expiry_months=1)
        earn(CustomerFactory(), 100)
    assert len(login("owner").get(FEED).json()["data"]) == 4


def test_the_feed_asks_no_more_for_more_people(chain, people, login, django_assert_num_queries):
    owner = login("owner")
    owner.get(FEED)
    with django_assert_num_queries(FEED_QUERIES):
        owner.get(FEED, {"limit": 2})
    with django_assert_num_queries(FEED_QUERIES):
        owner.get(FEED)


def test_the_page_shows_who_how_many_and_until_when(chain, people, login):
    page = login("owner").get(PAGE)
    rows = [(customer.first_name, each.points) for customer, each in page.context["people"]]
    assert rows == [("Asha", 140), ("Bela", 50), ("Southerner", 30), ("Nowhere", 5)]
    for words in ("20 Jun 2026", "15 Jul 2026", "₹112.50", f"/customers/{people[0].pk}"):
        assert words in page.text
    totals = page.context["totals"]
    assert (totals.people, totals.points) == (4, 225)
    soon = login("owner").get(PAGE, {"days": 7})
    assert [each.points for _customer, each in soon.context["people"]] == [100]
    of_south = login("owner").get(PAGE, {"branch": chain.south.pk})
    assert [customer.first_name for customer, _row in of_south.context["people"]] == ["Southerner"]


def test_the_page_goes_on(people, login, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr("marketing.loyalty.views.expiring.ROWS", 3)
    first = login("owner").get(PAGE)
    rest = login("owner").get(PAGE, {"after": first.context["after"]})
    names = [customer.first_name for customer, _row in rest.context["people"]]
    assert (names, rest.context["after"]) == (["Nowhere"], None)
    owner = login("owner")
    with django_assert_max_num_queries(14):
        owner.get(PAGE)


def test_what_nobody_offers_shows_the_usual_days(people, login):
    for nonsense in (
        {"days": "x"},
        {"days": "8"},
        {"after": "x"},
        {"branch": "x"},
        {"after": LAST},
    ):
        page = login("owner").get(PAGE, nonsense)
        assert (page.status_code, page.context["days"]) == (200, 30)


def test_an_empty_page_says_what_it_would_show(asha, login):
    assert "No points expire" in login("owner").get(PAGE).text
    assert PAGE in login("owner").get("/points").text


def test_a_segment_of_them_is_begun_from_the_page(people, login):
    owner = login("owner")
    link = owner.get(PAGE, {"days": 7}).context["segment_url"]
    assert link.startswith("/segments/new?")
    form = owner.get(link)
    assert 'value="points_expire_days" selected' in form.text
    assert 'value="within_next" selected' in form.text
    assert 'value="7"' in form.text
    assert not Segment.objects.filter(name="x").exists()


def test_whoever_reads_it_in_full_reads_it_in_one_query(people, django_assert_num_queries):
    asha, bela, *_others = people
    with django_assert_num_queries(2):  # the chain's zone, and the rows
        rows = list(selectors.find_expiring_points(30, branch_ids={asha.home_branch_id}))
    assert [(each.customer_id, each.points, each.expires_on) for each in rows] == [
        (asha.pk, 140, dt.date(2026, 6, 20)),
        (bela.pk, 50, dt.date(2026, 7, 15)),
    ]
