"""Referrals on pages and over the API, by role, branch and chain."""

import uuid
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from marketing.core.services import issue_key
from marketing.core.tenancy import tenant_scope
from marketing.referrals import links, selectors
from marketing.referrals.models import Referral, ReferralProgramme, ReferralTouch
from tests.factories.customers import CustomerFactory
from tests.factories.referrals import code_for, converted, make_programme, past_hold, reward_all

API = "/api/v1/referrals"
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile"}


@pytest.fixture(autouse=True)
def no_counts():
    cache.clear()


@pytest.fixture
def brought(chain, asha, bela):
    return converted(asha, bela, chain.north)


def post(client, body, key=None):
    return client.post(
        f"{API}/apply",
        body,
        content_type="application/json",
        headers={"Idempotency-Key": key or str(uuid.uuid4())},
    )


def test_apply_answers_as_module_11(chain, asha, login):
    body = {
        "referralCode": code_for(asha),
        "referredPhone": "98765 00009",
        "referredName": "Chitra Das",
    }
    client = login("receptionist")
    answer = post(client, body, "one")
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data["referral"]["status"] == "pending"
    assert data["referral"]["referrerCustomerId"] == str(asha.pk)
    assert data["referredCustomer"]["name"] == "Chitra Das"
    reward = {"type": "discount", "value": "10.00", "description": "10% off"}
    assert data["referredReward"] == reward
    assert post(client, body, "one").json() == answer.json()
    assert post(client, body | {"referredName": "x"}, "one").status_code == 422
    assert Referral.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"referralCode": "NOSUCH22"}, 404, "MARKETING_040"),
        ({"referredPhone": "+919876500001"}, 409, "MARKETING_041"),
        ({"referredPhone": "12"}, 400, "MARKETING_400"),
        ({"referredPhone": ""}, 400, "MARKETING_400"),
        ({"referralCode": "x" * 61}, 400, "MARKETING_400"),
        ({"nonsense": 1}, 400, "MARKETING_400"),
        ({"branchId": str(uuid.UUID(int=1))}, 404, "MARKETING_404"),
    ],
)
def test_what_cannot_be_applied(chain, asha, login, change, status, code):
    body = {"referralCode": code_for(asha), "referredPhone": "9876500009"} | change
    answer = post(login("receptionist"), body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not Referral.objects.exists()


def test_apply_needs_a_key(chain, asha, login):
    answer = login("receptionist").post(f"{API}/apply", {}, content_type="application/json")
    assert answer.status_code == 400


def test_a_counters_key_applies_and_reads(chain, asha):
    _key, secret = issue_key(
        actor=chain.actor(chain.owner), name="till", scopes=["counter"], branch_ids=None
    )
    headers = {"Authorization": f"Api-Key {secret}"}
    answer = Client().get(f"/api/v1/customers/{asha.pk}/referral-code", headers=headers)
    data = answer.json()["data"]
    assert data["referralCode"] in data["shareUrl"]
    assert data["shareUrl"] in data["shareText"]
    assert b"<svg" in Client().get(urlsplit(data["qrUrl"]).path).content
    answer = Client().post(
        f"{API}/apply",
        {"referralCode": data["referralCode"], "referredPhone": "9876500009"},
        content_type="application/json",
        headers=headers | {"Idempotency-Key": "1"},
    )
    assert answer.status_code == 201


def test_the_list_is_of_ones_branches(chain, brought, login, django_assert_max_num_queries):
    Referral.objects.filter(pk=brought.pk).update(branch=chain.south)
    assert login("receptionist").get(API).json()["data"] == []
    client = login("owner")
    with django_assert_max_num_queries(9):
        [row] = client.get(API).json()["data"]
    assert row["status"] == "converted"
    assert (row["firstInvoiceAmount"], row["fraudFlag"]) == ("900.00", False)
    assert (row["referredRewarded"], row["referrerRewarded"]) == (True, False)
    for asked, count in (
        ({"status": "converted"}, 1),
        ({"status": "pending"}, 0),
        ({"state": "held"}, 1),
        ({"referrerCustomerId": row["referrerCustomerId"]}, 1),
        ({"referralCode": row["referralCode"].lower()}, 1),
        ({"fraudFlag": "true"}, 0),
    ):
        assert len(client.get(API, asked).json()["data"]) == count, asked
    for bad in ({"status": "x"}, {"fraudFlag": "maybe"}, {"branchId": "x"}, {"limit": "0"}):
        refused = client.get(API, bad)
        assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, list(bad))


def test_the_leaderboard(chain, asha, brought, login):
    past_hold(brought)
    reward_all()
    row = {
        "place": 1,
        "customerId": str(asha.pk),
        "customerName": "Asha Rao",
        "referrals": 1,
        "rewarded": 1,
    }
    client = login("receptionist")
    assert client.get(f"{API}/leaderboard").json()["data"] == [row]
    assert client.get(f"{API}/leaderboard", {"from": "2999-01-01"}).json()["data"] == []
    for bad in ({"limit": 0}, {"to": "9999-12-31"}):
        assert client.get(f"{API}/leaderboard", bad).status_code == 400
    assert "Asha Rao" in client.get("/referrals/leaderboard").text
    Referral.objects.update(branch=chain.south)
    assert client.get(f"{API}/leaderboard").json()["data"] == []
    assert login("owner").get(f"{API}/leaderboard").json()["data"] == [row]


def test_the_config_over_the_api(chain, login):
    url = f"{API}/config"
    owner = login("owner")
    config = owner.get(url).json()["data"]["config"]
    defaults = {
        "isEnabled": True,
        "referrerRewardType": "points",
        "referrerRewardValue": "100.00",
        "referredRewardType": "discount",
        "referredRewardValue": "10.00",
        "maxReferralsPerMonth": 10,
        "minOrderForReward": "500.00",
        "rewardOn": "first_paid_visit",
        "holdDays": 7,
    }
    assert defaults.items() <= config.items()

    def patch(client, body):
        return client.patch(url, body, content_type="application/json")

    changed = patch(owner, {"referredRewardValue": "15", "version": config["version"]})
    assert changed.json()["data"]["config"]["referredRewardValue"] == "15.00"
    assert patch(owner, {"holdDays": 1, "version": config["version"]}).status_code == 409
    for wrong in ({"holdDays": -1}, {"x": 1}, {"referredRewardValue": "1.234"}):
        assert patch(owner, wrong).status_code == 400
    gone = patch(owner, {"referredRewardServiceId": str(uuid.UUID(int=1))})
    assert "referredRewardServiceId" in gone.json()["error"]["fields"]
    assert patch(login("regional"), {"holdDays": 1}).status_code == 403


def test_another_chains_things_are_not_there(chain, other_chain, brought, login):
    with tenant_scope(other_chain.tenant.pk):
        make_programme()
        stranger = CustomerFactory()
    owner = login("owner")
    assert owner.get(f"/api/v1/customers/{stranger.pk}/referral-code").status_code == 404
    with tenant_scope(other_chain.tenant.pk):
        assert not Referral.objects.exists()


def test_pages_by_role(chain, brought, login, django_assert_max_num_queries):
    Referral.objects.update(is_flagged=True, signals=["same_surname"])
    desk, manager = login("receptionist"), login("manager")
    assert "Bela Sen" in desk.get("/referrals").text
    assert "Bela Sen" not in desk.get("/referrals", {"q": "Nobody"}).text
    assert "Bela Sen" in desk.get("/referrals", {"q": "Asha", "state": "held"}).text
    for nonsense in ({"state": "x"}, {"after": "x"}):
        assert desk.get("/referrals", nonsense).status_code == 200
    assert desk.get("/referrals/review").status_code == 403
    assert desk.get("/referrals/settings").status_code == 403
    assert "same surname" in manager.get("/referrals/review").text
    page = desk.get(reverse("referral-detail", args=[brought.pk])).text
    assert "Rejected" not in page
    assert reverse("referral-approve", args=[brought.pk]) not in page
    for path in ("/referrals", "/referrals/review", "/referrals/leaderboard"):
        with django_assert_max_num_queries(13):
            manager.get(path)


def test_a_manager_decides(chain, brought, login):
    Referral.objects.update(is_flagged=True, signals=["same_surname"])
    manager = login("manager")
    url = reverse("referral-reject", args=[brought.pk])
    assert manager.post(url, {"reason": ""}).status_code == 422
    assert manager.post(url, {"reason": "x"}).status_code == 422
    assert manager.post(url, {"reason": "One family, one bill"}).status_code == 302
    assert Referral.objects.get().state == "rejected"
    assert "One family" in manager.get(reverse("referral-detail", args=[brought.pk])).text
    late = manager.post(reverse("referral-approve", args=[brought.pk]), follow=True)
    assert late.request["PATH_INFO"] == reverse("referral-detail", args=[brought.pk])
    assert "This referral has been decided already." in late.text
    late = manager.post(url, {"reason": "Once more"}, follow=True)
    assert "This referral has been decided already." in late.text
    assert Referral.objects.get().reason == "One family, one bill"


def test_an_owner_sets_it_up(chain, asha, login):
    owner = login("owner")
    page = owner.get("/referrals/settings")
    form = page.context["form"]
    kept = {name: form[name].value() for name in form.fields}
    body = {name: value for name, value in kept.items() if value not in (None, False)}
    answer = owner.post("/referrals/settings", body | {"share_text_hi": "आइए {code} {link}"})
    assert answer.status_code == 302
    programme = ReferralProgramme.objects.get()
    assert programme.share_text == {"hi": "आइए {code} {link}"}
    code = code_for(asha)
    link = links.share_url(chain.tenant, code)
    assert selectors.share_text("hi", code) == f"आइए {code} {link}"
    stale = body | {"version": page.context["version"], "hold_days": 3}
    for version in (stale["version"], "9" * 5_000, "²"):
        again = owner.post("/referrals/settings", stale | {"version": version})
        assert (again.status_code, "save again to keep it" in again.text) == (422, True)
    wrong = owner.post("/referrals/settings", body | {"referred_reward_value": "101"})
    assert wrong.status_code == 422
    assert "referred_reward_value" in wrong.context["form"].errors
    lost = owner.post("/referrals/settings", body | {"share_text_en": "Come to us"})
    assert list(lost.context["form"].errors) == ["share_text_en"]
    programme.refresh_from_db()
    assert programme.share_text == {"hi": "आइए {code} {link}"}


def test_the_card_on_her_page(chain, asha, brought, login):
    desk = login("receptionist")
    text = desk.get(reverse("customer-detail", args=[asha.pk])).text
    assert code_for(asha) in text
    assert "Bela Sen" in text
    assert "wa.me" in text
    friend = brought.friend_id
    assert "Brought by Asha Rao" in desk.get(reverse("customer-detail", args=[friend])).text
    assert desk.post(reverse("referral-code", args=[friend])).status_code == 302
    assert selectors.code_of(brought.friend) is not None


def page_of(chain, code):
    return reverse("referral-page", args=[chain.tenant.slug, code])


def test_the_page_behind_a_link(chain, asha):
    url = page_of(chain, code_for(asha))
    assert Client().get(url, headers={"User-Agent": "WhatsApp/2.23"}).status_code == 200
    answer = Client().get(url, headers=PHONE)
    assert answer.status_code == 200
    assert chain.tenant.name in answer.text
    assert "Asha" in answer.text
    assert "10% off" in answer.text
    assert "Rao" not in answer.text
    assert asha.phone[-6:] not in answer.text
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert ReferralTouch.objects.get().kind == "click"
    left = Client().post(url, {"phone": "98765 00010"})
    assert (left.status_code, Referral.objects.get().friend_phone) == (200, "+919876500010")
    assert Client().post(url, {"phone": "x"}).status_code == 422
    picture = Client().get(f"{url}/qr.svg")
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/svg+xml")


def test_links_that_lead_nowhere(chain, other_chain, asha):
    code = code_for(asha)
    for url in (
        page_of(chain, "NOSUCH22"),
        page_of(other_chain, code),
        f"/f/no-such-chain/{code}",
    ):
        assert Client().get(url).status_code == 404
    make_programme(is_enabled=False)
    assert Client().get(page_of(chain, code)).status_code == 404
    assert not ReferralTouch.objects.exists()


def test_a_page_asked_for_very_often_is_busy(chain, asha, monkeypatch):
    url = page_of(chain, code_for(asha))
    monkeypatch.setattr("marketing.referrals.views.public.LOOKS", 2)
    statuses = [Client().get(url, headers=PHONE).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert ReferralTouch.objects.count() == 2


def test_without_its_counter_the_page_is_there(chain, asha, monkeypatch):
    def away(*args):
        raise ConnectionError

    monkeypatch.setattr("django.core.cache.cache.incr", away)
    assert Client().get(page_of(chain, code_for(asha))).status_code == 200


def test_no_page_for_who_was_erased(chain, asha):
    from customers import services as customer_services
    from tests.factories.coupons import system

    url = page_of(chain, code_for(asha))
    customer_services.erase_customer(actor=system(), customer=asha)
    assert Client().get(url).status_code == 404
