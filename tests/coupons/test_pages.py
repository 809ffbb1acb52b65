"""The pages of offers: as each role, with bad input, and how much they ask the database."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from marketing.core import clock
from marketing.core.tenancy import tenant_scope
from marketing.coupons import selectors, services
from marketing.coupons.models import CodeBatch, Offer, OfferRevision
from tests.factories.coupons import make_offer, sell, system
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.factories.loyalty import make_tiers
from tests.page_queries import questions

TENTH = {"kind": "percentage", "name": "Tenth", "value": "10", "opening": "automatic"}


def offer_path(offer, rest=""):
    return f"/offers/{offer.pk}{rest}"


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


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
    for words in ("20 % off Haircut", "North", "Until 31 Dec 2099", "1 / 5", "₹80", "of ₹100"):
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


def test_every_kind_has_a_form_of_its_own(chain, login):
    client = login("manager")
    starts = re.findall(r"\?start=(\w+)", client.get("/offers/new").content.decode())
    assert len(starts) == 8
    for start in starts:
        answer = client.get(f"/offers/new?start={start}")
        assert answer.status_code == 200, start
    shown = client.get("/offers/new?start=spend_tiers").content.decode()
    assert 'name="tier_0_from"' in shown
    assert 'name="value"' not in shown


def kinds(hair, spa):
    """A form of each kind, and what it gives in words."""
    return {
        "percentage": ({"value": "12.5", "scope": "line"}, "12.5 % off the bill"),
        "flat": ({"value": "50", "scope": "unit"}, "₹50 off each of the bill"),
        "fixed_price": ({"value": "99.50", "services": [hair]}, "Haircut for ₹99.50 each"),
        "free_service": ({"services": [hair], "free_units": "1"}, "One free: Haircut"),
        "buy_x_get_y": (
            {"buy_quantity": "2", "get_quantity": "1", "get_percent": "100", "get_services": [spa]},
            "Buy 2, get 1 free: Spa",
        ),
        "bundle": (
            {"value": "999", "part_0_services": [hair], "part_1_services": [spa],
             "part_1_quantity": "2"},
            "Haircut + 2 × Spa together for ₹999",
        ),
        "spend_tiers": (
            {"tier_unit": "amount", "tier_0_from": "1000", "tier_0_give": "100",
             "tier_1_from": "2000", "tier_1_give": "300"},
            "₹100 off from ₹1,000 on; ₹300 off from ₹2,000 on",
        ),
    }  # fmt: skip


def test_each_kind_is_made_by_its_form_and_read_back_the_same(chain, login):
    client = login("owner")
    hair, spa = (ServiceFactory(name=name) for name in ("Haircut", "Spa"))
    for kind, (fields, words) in kinds(str(hair.pk), str(spa.pk)).items():
        answer = client.post("/offers/new", {**TENTH, "kind": kind, **fields})
        assert answer.status_code == 302, (kind, answer.context["form"].errors)
        offer = Offer.objects.latest("pk")
        assert words in text_of(client.get(offer_path(offer))), kind
        form = client.get(offer_path(offer, "/edit")).context["form"]
        again = {bound.html_name: bound.value() for bound in form}
        posted = {
            name: "on" if value is True else value
            for name, value in again.items()
            if value not in (None, "", [], False)
        }
        assert client.post(offer_path(offer, "/edit"), posted).status_code == 302, kind
        offer.refresh_from_db()
        assert (offer.revision, offer.version) == (1, 1), (kind, selectors.history_of(offer))


def test_tiers_are_those_of_the_points_programme(chain, login):
    (gold,) = make_tiers(("Gold", 0, 15_000))
    client = login("owner")
    assert client.post("/offers/new", TENTH | {"tiers": [str(gold.pk)]}).status_code == 302
    offer = Offer.objects.get()
    assert selectors.body_of(offer)["loyaltyTiers"] == [str(gold.pk)]
    assert "Tiers: Gold" in text_of(client.get(offer_path(offer)))
    wrong = client.post("/offers/new", TENTH | {"tiers": ["Platinum"]})
    assert list(wrong.context["form"].errors) == ["tiers"]


EVERYTHING = {
    "opening": "typed",
    "code": "Full-1",
    "description": "पूरा 🎉",
    "visit": "1",
    "valid_from": "2026-01-01",
    "from_time": "17:00",
    "valid_until": "2099-01-01",
    "hours_0_days": ["tuesday", "wednesday"],
    "hours_0_from": "11:00",
    "hours_0_until": "16:00",
    "off_0_from": "2026-11-08",
    "min_amount": "500",
    "max_amount": "5000",
    "measure": "eligible",
    "min_quantity": "2",
    "max_total": "100",
    "max_customer": "2",
    "max_period": "1",
    "use_period": "week",
    "max_branch": "50",
    "budget": "10000",
    "budget_policy": "partial",
    "max_discount": "300",
    "max_line": "200",
    "floor_price": "10",
    "stacking": "item",
    "tags": "festive, hair",
    "combines_with": "hair",
    "priority": "3",
}


def test_all_conditions_are_kept_as_typed(chain, login):
    assert login("owner").post("/offers/new", TENTH | EVERYTHING).status_code == 302
    offer = Offer.objects.get()
    body = selectors.body_of(offer)
    assert body == {
        "discountType": "percentage", "name": "Tenth", "automatic": False, "discountValue": "10",
        "nthVisit": 1, "startsAt": "2026-01-01T17:00", "validUntil": "2099-01-01",
        "hours": [{"from": "11:00", "until": "16:00", "weekdays": ["tuesday", "wednesday"]}],
        "blackouts": [{"from": "2026-11-08", "until": "2026-11-08"}],
        "minOrderAmount": "500", "maxOrderAmount": "5000", "amountOf": "eligible",
        "minQuantity": 2, "maxTotalUses": 100, "maxUsesPerCustomer": 2, "maxUsesPerPeriod": 1,
        "usePeriod": "week", "maxUsesPerBranch": 50, "budget": "10000",
        "budgetPolicy": "partial", "maxDiscountAmount": "300", "maxDiscountPerLine": "200",
        "floorPrice": "10", "stacking": "item", "tags": ["festive", "hair"],
        "combinesWith": ["hair"], "priority": 3,
    }  # fmt: skip
    assert (offer.code, offer.description) == ("FULL-1", "पूरा 🎉")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"value": ""}, "value"),
        ({"value": "0"}, "value"),
        ({"value": "101"}, "value"),
        ({"value": "-5"}, "value"),
        ({"value": "1.234"}, "value"),
        ({"value": "1e12"}, "value"),
        ({"kind": "flat", "value": "0"}, "value"),
        ({"kind": "flat", "value": "99999999.99"}, "value"),
        ({"kind": "fixed_price", "value": ""}, "value"),
        ({"budget": "99999999.99"}, "budget"),
        ({"opening": "typed"}, "code"),
        ({"opening": "typed", "code": "A?"}, "code"),
        ({"valid_from": "2026-02-02", "valid_until": "2026-02-01"}, "valid_until"),
        ({"from_time": "10:00"}, "valid_from"),
        ({"hours_0_from": "10:00"}, "hours_0_until"),
        ({"off_0_until": "2026-02-02"}, "off_0_from"),
        ({"min_amount": "10", "max_amount": "5"}, "max_amount"),
        ({"max_total": "0"}, "max_total"),
        ({"services": "no-such-service"}, "services"),
        ({"branches": "00000000-0000-0000-0000-000000000007"}, "branches"),
        ({"kind": "spend_tiers"}, "tier_0_from"),
        ({"kind": "bundle", "value": "9"}, "part_0_services"),
        ({"kind": "free_service"}, "services"),
        ({"kind": "magic"}, "kind"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_lost(chain, login, changes, field):
    posted = TENTH | {"tags": "kept"} | changes
    answer = login("owner").post("/offers/new", posted)
    assert answer.status_code == 422
    form = answer.context["form"]
    assert list(form.errors) == [field]
    assert form["tags"].value() == "kept"
    assert not Offer.objects.exists()


def test_code_that_is_taken_is_said_at_the_code(chain, login):
    make_offer(code="TAKEN")
    answer = login("owner").post("/offers/new", TENTH | {"opening": "typed", "code": "taken"})
    assert list(answer.context["form"].errors) == ["code"]


def test_another_kind_keeps_what_was_typed_and_saves_nothing(chain, login):
    client = login("manager")
    typed = TENTH | {"kind": "flat", "value": "abc", "tags": "kept", "action": "redraw"}
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.post("/offers/new", typed, headers=headers)
        assert answer.status_code == 200
        form = answer.context["form"]
        assert (form.of_kind, form["tags"].value(), form["value"].value()) == (
            "flat",
            "kept",
            "abc",
        )
        assert "Rupees off" in answer.content.decode()
    assert not Offer.objects.exists()


def test_of_two_editors_the_second_sees_the_difference_and_may_keep_hers(chain, login):
    offer = make_offer(name="Tenth")
    client = login("owner")
    path = offer_path(offer, "/edit")
    services.update_offer(
        actor=chain.actor(chain.owner), offer=offer, values={"discountValue": "15"}
    )
    mine = TENTH | {"value": "20", "version": "1", "stacking": "item"}
    answer = client.post(path, mine)
    assert answer.status_code == 422
    shown = text_of(answer)
    assert "15 % off the bill" in shown
    assert "20 % off the bill" in shown
    assert answer.context["form"]["value"].value() == "20"
    offer.refresh_from_db()
    assert selectors.body_of(offer)["discountValue"] == "15"
    wrong = client.post(path, mine | {"value": "0"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["value"])
    assert client.post(path, mine | {"over": str(offer.version)}).status_code == 302
    offer.refresh_from_db()
    assert selectors.body_of(offer)["discountValue"] == "20"


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


def test_sample_bill_changes_with_the_form(chain, login):
    hair = ServiceFactory(name="Haircut", price="500.00")
    client = login("manager")
    lines = {"sample_0_service": str(hair.pk), "sample_0_quantity": "2"}
    shown = text_of(client.post("/offers/sample", TENTH | lines))
    assert "She saves ₹100" in shown
    assert "She pays ₹900" in shown
    short = text_of(client.post("/offers/sample", TENTH | lines | {"min_amount": "1500"}))
    assert "₹500 short of ₹1,500" in short
    assert "Spend ₹500 more" in short
    assert "She pays ₹1,000" in short
    assert "Value" not in short
    unread = client.post("/offers/sample", TENTH | lines | {"value": "lots"})
    assert unread.status_code == 200
    assert "Per cent off" in text_of(unread)
    assert not Offer.objects.exists()


def test_sample_is_priced_without_scripts_too(chain, login):
    ServiceFactory(name="Haircut", price="500.00")
    client = login("manager")
    first = client.get("/offers/new?start=percentage")
    assert "She pays ₹450" in text_of(first)
    again = client.post("/offers/new", TENTH | {"value": "20", "action": "sample"})
    assert again.status_code == 200
    assert not Offer.objects.exists()


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
