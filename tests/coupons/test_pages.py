"""The pages of offers: as each role, with bad input, and how much they ask the database."""

import datetime as dt

import pytest
from django.urls import reverse

from marketing.core import clock
from marketing.core.tenancy import tenant_scope
from marketing.coupons import selectors, services
from marketing.coupons.models import CodeBatch, Offer, OfferRevision
from tests.coupons.editor import TENTH, offer_path, text_of
from tests.factories.coupons import make_offer, sell, system
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.page_queries import questions


def test_list_says_what_where_when_and_how_far(chain, login):
    hair = ServiceFactory(name="Haircut")
    make_offer(
        name="Hair week",
        discountValue="20",
        serviceIds=[str(hair.pk)],
        branchIds=[str(chain.north.pk)],
        validUntil="2099-12-31",
        maxTotalUses=5,
        budget="100",
    )
    sell(chain.north, {"serviceId": str(hair.pk), "unitPrice": "100.00"})
    shown = text_of(login("receptionist").get("/offers"))
    for words in ("20% off Haircut", "North", "Until 31 Dec 2099", "1 / 5", "₹80", "of ₹100"):
        assert words in shown, words


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", {"On", "Off", "Over", "Later", "Coded", "Gone"}),
        ("state=on", {"On", "Coded"}),
        ("state=off", {"Off"}),
        ("state=over", {"Over"}),
        ("state=starts", {"Later"}),
        ("state=used_up", {"Gone"}),
        ("kind=flat", {"Coded"}),
        ("opening=code", {"Coded"}),
        ("q=coDE", {"Coded"}),
        ("branch={south}", {"On", "Off", "Over", "Later", "Coded"}),
        ("state=nonsense&branch=x&page=9", {"On", "Off", "Over", "Later", "Coded", "Gone"}),
    ],
)
def test_offers_are_found(chain, login, asked, found):
    make_offer(name="On")
    make_offer(name="Off", isActive=False)
    make_offer(name="Over", validUntil="2020-01-01")
    make_offer(name="Later", validFrom="2099-01-01")
    make_offer(name="Coded", code="CODE5", discountType="flat", discountValue="5")
    make_offer(name="Gone", maxTotalUses=1, discountValue="90", branchIds=[str(chain.north.pk)])
    sell(chain.north)
    answer = login("owner").get("/offers?" + asked.format(south=chain.south.pk))
    assert {row.offer.name for row in answer.context["rows"]} == found


def test_empty_list_says_what_to_do(chain, login):
    assert "New offer" in text_of(login("manager").get("/offers"))
    assert "New offer" not in text_of(login("receptionist").get("/offers"))


def test_list_asks_no_more_for_more_offers(chain, login):
    client = login("owner")
    counts = []
    for _ in range(2):
        for _ in range(3):
            service = ServiceFactory()
            make_offer(serviceIds=[str(service.pk)], branchIds=[str(chain.north.pk)], budget="9")
        asked, _fragments = questions(client, "/offers")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 14


def test_a_branch_managers_offer_is_for_her_branches(chain, login):
    client = login("manager")
    assert client.post("/offers/new", TENTH).status_code == 302
    offer = Offer.objects.get()
    assert selectors.body_of(offer)["branchIds"] == [str(chain.north.pk)]
    everywhere = make_offer()
    for path in ("/edit", "/codes"):
        page = client.get(offer_path(everywhere, path))
        assert page.status_code == (403 if path == "/edit" else 200)
    assert client.post(offer_path(everywhere, "/switch"), {"to": "off"}).status_code == 403
    assert client.post(offer_path(everywhere, "/codes"), {"count": "5"}).status_code == 422
    assert not CodeBatch.objects.exists()
    everywhere.refresh_from_db()
    assert everywhere.is_active
    assert "Edit" not in text_of(client.get(offer_path(everywhere)))


def test_switched_off_and_on(chain, login):
    offer = make_offer()
    client = login("owner")
    for to, active in (("off", False), ("on", True)):
        assert client.post(offer_path(offer, "/switch"), {"to": to}).status_code == 302
        offer.refresh_from_db()
        assert offer.is_active is active
    shown = text_of(client.get(offer_path(offer)))
    assert "Switched off → On" in shown
    assert OfferRevision.objects.count() == 3


def test_redemptions_are_those_of_ones_branches(chain, login):
    offer = make_offer()
    she = CustomerFactory(first_name="Meera")
    sell(chain.north, customer=she, invoice_id="N-1")
    sell(chain.south, invoice_id="S-1")
    path = offer_path(offer, "/redemptions")
    north = text_of(login("manager").get(path))
    assert "N-1" in north
    assert "Meera" in north
    assert "S-1" not in north
    owner = login("owner")
    assert "S-1" in text_of(owner.get(path))
    assert "S-1" not in text_of(owner.get(path, {"branch": str(chain.north.pk)}))
    day = clock.now().date() + dt.timedelta(days=2)
    assert "N-1" not in text_of(owner.get(path, {"since": day.isoformat()}))
    assert owner.get(path, {"since": "x", "branch": "y", "after": "z"}).status_code == 200


def test_redemptions_ask_no_more_for_more_rows(chain, login):
    offer = make_offer()
    client = login("owner")
    counts = []
    for _ in range(2):
        for _ in range(3):
            sell(chain.north, customer=CustomerFactory())
        asked, _fragments = questions(client, offer_path(offer, "/redemptions"))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 14


def test_codes_are_made_taken_away_and_taken_back(chain, login):
    offer = make_offer(automatic=False)
    client = login("owner")
    path = offer_path(offer, "/codes")
    refused = client.post(path, {"count": "0", "prefix": "A B?", "expires_on": "2020-01-31"})
    assert refused.status_code == 422
    assert refused.context["form"].errors.keys() == {"count", "expires_on"}
    posted = {"count": "3", "prefix": "diwali", "max_uses": "1", "expires_on": "2099-01-31"}
    assert client.post(path, posted).status_code == 302
    batch = CodeBatch.objects.get()
    assert batch.expires_at.isoformat() == "2099-01-31T18:30:00+00:00"
    assert 'hx-trigger="every 2s"' in client.get(path).content.decode()
    services.make_part(batch_id=batch.pk)
    shown = client.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "every 2s" not in shown
    assert "31 Jan 2099" in shown
    assert "<h1" not in shown
    file = client.get(offer_path(offer, f"/batches/{batch.pk}/download"))
    lines = b"".join(file.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("DIWALI-")
    assert client.post(offer_path(offer, f"/batches/{batch.pk}/revoke")).status_code == 302
    batch.refresh_from_db()
    assert batch.state == CodeBatch.State.REVOKED
    other = make_offer()
    assert client.get(offer_path(other, f"/batches/{batch.pk}/download")).status_code == 404


def test_the_same_codes_sent_again_are_made_when_they_are_asked_for_once_more(chain, login):
    client = login("owner")
    path = offer_path(make_offer(automatic=False), "/codes")
    asked = {"count": "1000", "prefix": "fly", "max_uses": "1"}
    assert client.post(path, asked).status_code == 302
    again = client.post(path, asked)
    assert again.status_code == 422
    assert "You had the same codes made just now" in again.content.decode()
    assert CodeBatch.objects.count() == 1
    once_more = again.context["form"]["again"].value()
    for answer in (302, 422):
        assert client.post(path, asked | {"again": once_more}).status_code == answer
    assert client.post(path, asked | {"count": "999"}).status_code == 302
    assert CodeBatch.objects.count() == 3


def test_codes_ask_no_more_for_more_batches(chain, login):
    offer = make_offer(automatic=False)
    client = login("owner")
    counts = []
    for _ in range(2):
        for _ in range(2):
            services.make_codes(actor=system(), offer=offer, count=2)
        asked, _fragments = questions(client, offer_path(offer, "/codes"))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 14


def test_offer_page_asks_little(chain, login):
    offer = make_offer(serviceIds=[str(ServiceFactory().pk)])
    for value in ("11", "12", "13"):
        services.update_offer(actor=system(), offer=offer, values={"discountValue": value})
    asked, _fragments = questions(login("owner"), offer_path(offer))
    assert len(asked) <= 20


def test_stacking_says_who_stands_beside_whom_and_why_not(chain, login):
    first = make_offer(name="Alpha", tags=["hair"])
    make_offer(name="Beta", combinesWith=["spa"])
    make_offer(name="Gamma", stacking="none")
    make_offer(name="Delta", stacking="invoice")
    make_offer(name="Past", validUntil="2020-01-01")
    client = login("receptionist")
    answer = client.get(reverse("offer-stacking"), {"offer": str(first.pk)})
    found = {each.other.name: (each.beside, each.why) for each in answer.context["relations"]}
    assert found == {
        "Beta": ("never", "Beta asks for spa, which Alpha does not carry"),
        "Gamma": ("never", "Gamma stands alone on the bill"),
        "Delta": ("bill", ""),
    }
    assert len(answer.context["matrix"]) == 4
    asked, _fragments = questions(client, reverse("offer-stacking"))
    assert len(asked) <= 8


def test_another_chains_offer_is_not_there(chain, other_chain, login):
    with tenant_scope(other_chain.tenant.pk):
        foreign = make_offer()
    client = login("owner")
    for rest in ("", "/edit", "/redemptions", "/codes", "/cost"):
        assert client.get(offer_path(foreign, rest)).status_code == 404
    assert client.post("/offers/sample", TENTH | {"offer_id": str(foreign.pk)}).status_code == 404
