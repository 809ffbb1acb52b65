"""Points on pages and over the API, by role, branch and chain."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from customers import services as customer_services
from marketing.core.errors import Forbidden
from marketing.core.services import issue_key
from marketing.core.tenancy import tenant_scope
from marketing.loyalty import links, selectors, services
from marketing.loyalty.models import PointsTransaction
from marketing.loyalty.models.ledger import OF_BRANCH
from marketing.loyalty.services import Source
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import bill, earn, hold, make_programme, make_tiers, spend, system

ASHA = "/api/v1/customers/{}/points"


@pytest.fixture
def points(asha):
    make_programme(expiry_months=1, point_value_paise=50)
    make_tiers(("Silver", 0, 12_500))
    earn(asha, 1_200, bill("INV-9"))
    spend(asha, 100)
    hold(asha, 100)
    return asha


def test_the_counter_sees_a_balance(points, login):
    data = login("receptionist").get(ASHA.format(points.pk)).json()["data"]["points"]
    assert data["points"] == data["available"] == 1_000
    assert (data["held"], data["pending"], data["value"]) == (100, 0, "500.00")
    assert data["tier"]["name"] == "Silver"
    assert data["expiring"] == [{"points": 1_000, "expiresOn": "2026-07-15"}]


def test_who_has_none_has_an_empty_balance(chain, asha, login):
    stranger = CustomerFactory(home_branch=chain.south)
    data = login("receptionist").get(ASHA.format(stranger.pk)).json()["data"]["points"]
    assert (data["points"], data["tier"], data["expiring"]) == (0, None, [])


def test_a_balance_is_one_query(points, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert selectors.balance(points.pk).points == 1_000


def test_entries_come_in_pages(points, login):
    client = login("receptionist")
    first = client.get(ASHA.format(points.pk) + "/entries", {"limit": 2}).json()
    assert [row["kind"] for row in first["data"]] == ["hold", "post"]
    more = client.get(
        ASHA.format(points.pk) + "/entries", {"limit": 2, "cursor": first["page"]["next"]}
    ).json()
    assert [(row["kind"], row["points"]) for row in more["data"]] == [("hold", 0), ("earn", 1_200)]
    assert more["page"]["next"] is None
    refused = client.get(ASHA.format(points.pk) + "/entries", {"limit": "x"})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["limit"])


def test_an_entry_names_its_bill_as_the_branch_does(points, login):
    earn(points, 10, bill(f"A/7{OF_BRANCH}340bf8e5351a"))
    url = ASHA.format(points.pk) + "/entries"
    newest = login("receptionist").get(url).json()["data"][0]
    assert (newest["sourceType"], newest["sourceId"]) == ("invoice", "A/7")


def test_who_was_merged_is_found_as_whom_she_became(chain, points, login):
    other = CustomerFactory(home_branch=chain.north)
    customer_services.merge_customers(actor=system(), keep=other, other=points, choices={})
    client = login("receptionist")
    assert client.get(ASHA.format(points.pk)).json()["data"]["points"]["points"] == 1_000
    kinds = [row["kind"] for row in client.get(ASHA.format(other.pk) + "/entries").json()["data"]]
    assert kinds == ["merge", "hold", "post", "hold", "earn"]


@pytest.mark.parametrize("path", ["", "/entries"])
def test_another_chains_customer_is_not_found(points, other_chain, login, path):
    with tenant_scope(other_chain.tenant.pk):
        stranger = CustomerFactory()
    for pk in (stranger.pk, uuid.uuid4()):
        answer = login("owner").get(ASHA.format(pk) + path)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "MARKETING_404"


def test_the_card_and_the_statement(points, login):
    desk = login("receptionist")
    card = desk.get(reverse("customer-detail", args=[points.pk])).text
    assert "1,000 points" in card
    assert reverse("points-adjust", args=[points.pk]) not in card
    text = desk.get(reverse("points-customer", args=[points.pk])).text
    assert "INV-9" in text
    assert "worth ₹500" in text
    assert "15 Jul 2026" in text
    assert "Silver" in text
    assert "until 15 Jun 2027" in text


def test_the_statement_is_printed_in_her_language(points, login):
    points.language = "hi"
    points.save()
    answer = login("receptionist").get(reverse("points-customer", args=[points.pk]) + "?print")
    assert 'lang="hi"' in answer.text
    assert "INV-9" in answer.text


def test_the_signed_link_shows_her_points_and_no_more(chain, points, noon):
    url = links.statement_url(chain.tenant.pk, points.pk)
    path = url[url.index("/b/") :]
    answer = Client().get(path)
    assert answer.status_code == 200
    assert "INV-9" in answer.text
    assert points.phone not in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    assert Client().get(path[:-2] + "xx").status_code == 404
    assert Client().get("/b/nonsense").status_code == 404
    noon.shift(links.OPEN_FOR.total_seconds() + 1)
    assert Client().get(path).status_code == 404


def test_no_link_leads_to_who_was_erased(chain, points):
    url = links.statement_url(chain.tenant.pk, points.pk)
    customer_services.erase_customer(actor=system(), customer=points)
    assert Client().get(url[url.index("/b/") :]).status_code == 404


def adjust(client, customer, count, reason="Missed bill", again=""):
    return client.post(
        reverse("points-adjust", args=[customer.pk]),
        {"points": count, "reason": reason, "again": again},
    )


def test_a_manager_corrects_within_her_limit(chain, points, login):
    manager = login("manager")
    assert adjust(manager, points, 500).status_code == 302
    back = adjust(manager, points, 500)
    assert back.status_code == 422
    assert "You saved the same just now" in back.text
    assert selectors.balance(points.pk).points == 1_500
    once_more = back.context["form"]["again"].value()
    assert adjust(manager, points, 500, again=once_more).status_code == 302
    assert adjust(manager, points, 500, again=once_more).status_code == 422
    assert selectors.balance(points.pk).points == 2_000
    assert adjust(manager, points, -500).status_code == 302
    assert adjust(manager, points, -500, "Typed twice").status_code == 302
    before = PointsTransaction.objects.count()
    for count, reason in (
        (501, "Missed"),
        (-501, "Missed"),
        (0, "Missed"),
        (5, "x"),
        (10**12, "y"),
    ):
        assert adjust(manager, points, count, reason).status_code == 422
    assert "up to 500" in adjust(manager, points, 501).text
    assert "up to" not in login("owner").get(f"/customers/{points.pk}/points/adjust").text
    assert adjust(login("regional"), points, 5_001).status_code == 422
    assert adjust(login("regional"), points, -1_100).status_code == 422
    assert PointsTransaction.objects.count() == before
    assert adjust(login("owner"), points, 50_000).status_code == 302


def test_points_are_the_chains_whatever_the_home_branch(chain, login):
    make_programme()
    elsewhere = CustomerFactory(home_branch=chain.west)
    assert adjust(login("manager"), elsewhere, 5).status_code == 302
    assert selectors.balance(elsewhere.pk).points == 5


def test_the_front_desk_corrects_nothing(chain, points, login):
    assert adjust(login("receptionist"), points, 5).status_code == 403
    with pytest.raises(Forbidden):
        services.adjust_points(
            actor=chain.actor(chain.receptionist),
            customer=points,
            points=5,
            reason="mine",
            source=bill(),
        )


def test_the_ledger_shows_what_one_may_see(chain, points, login, django_assert_max_num_queries):
    south = CustomerFactory(first_name="Southerner", home_branch=chain.south)
    earn(south, 10, branch_id=chain.south.pk)
    friend = Source("referral", "R1")
    services.give_points(actor=system(), customer=south, points=5, source=friend, reason="referral")
    owner, manager = login("owner"), login("manager")
    everything = owner.get("/points").text
    assert "Southerner" in everything
    assert "Asha" in everything
    assert "Owed to customers" in everything
    assert "For bringing a friend" in everything
    own = manager.get("/points").text
    assert "Asha" in own
    assert "Southerner" not in own
    assert "Owed to customers" not in own
    assert login("receptionist").get("/points").status_code == 403
    assert "Southerner" not in owner.get("/points", {"kind": "post"}).text
    assert "Asha" not in owner.get("/points", {"branch": chain.south.pk}).text
    assert "Asha" not in owner.get("/points", {"q": "Southerner"}).text.partition('id="results"')[2]
    for nonsense in ({"kind": "x"}, {"branch": "x"}, {"since": "x"}, {"after": "x"}):
        assert owner.get("/points", nonsense).status_code == 200
    with django_assert_max_num_queries(16):
        owner.get("/points")


def test_the_ledger_takes_the_first_and_the_last_day_there_is(points, login):
    owner = login("owner")
    days = {"since": "0001-01-01", "until": "9999-12-31"}
    assert owner.get("/points", days).context["rows"] == owner.get("/points").context["rows"]
    assert not owner.get("/points", {"until": days["since"]}).context["rows"]
    assert not owner.get("/points", {"since": days["until"]}).context["rows"]


def test_the_ledger_goes_on(points, login, monkeypatch):
    monkeypatch.setattr("marketing.loyalty.views.ledger.ROWS", 2)
    first = login("owner").get("/points")
    after = first.context["after"]
    assert after
    rest = login("owner").get("/points", {"after": after}).context["rows"]
    assert not {row.pk for row in first.context["rows"]} & {row.pk for row in rest}


def test_a_counters_key_reads_points(chain, points):
    with translation.override("en"):
        _key, secret = issue_key(
            actor=chain.actor(chain.owner), name="till", scopes=["counter"], branch_ids=None
        )
    answer = Client().get(ASHA.format(points.pk), headers={"Authorization": f"Api-Key {secret}"})
    assert answer.status_code == 200
