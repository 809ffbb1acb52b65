"""The editor of offers: each kind's form, what it refuses, and its sample bill."""

import re

import pytest

from marketing.coupons import selectors, services
from marketing.coupons.models import Offer
from tests.coupons.editor import TENTH, form_of, offer_path, text_of
from tests.factories.coupons import make_offer
from tests.factories.customers import ServiceFactory
from tests.factories.loyalty import make_tiers


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
        "percentage": ({"value": "12.5", "scope": "line"}, "12.5% off the bill"),
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
        posted = form_of(client, offer)
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
        ({"budget": "99999999999"}, "budget"),
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
        ({"kind": "spend_tiers", "tier_2_from": "500", "tier_2_give": "600"}, "tier_2_give"),
        (
            {
                "kind": "spend_tiers",
                "tier_unit": "percent",
                "tier_0_from": "5",
                "tier_0_give": "5",
                "tier_2_from": "9",
                "tier_2_give": "101",
            },
            "tier_2_give",
        ),
        ({"kind": "bundle", "value": "9"}, "part_0_services"),
        ({"kind": "free_service"}, "services"),
        ({"kind": "buy_x_get_y", "get_quantity": "1", "get_percent": "100"}, "buy_quantity"),
        ({"kind": "buy_x_get_y", "get_quantity": "1", "buy_quantity": "2"}, "get_percent"),
        ({"kind": "bundle", "value": "", "part_0_quantity": "1"}, "value"),
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
    assert "15% off the bill" in shown
    assert "20% off the bill" in shown
    assert answer.context["form"]["value"].value() == "20"
    offer.refresh_from_db()
    assert selectors.body_of(offer)["discountValue"] == "15"
    wrong = client.post(path, mine | {"value": "0"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["value"])
    assert client.post(path, mine | {"over": str(offer.version)}).status_code == 302
    offer.refresh_from_db()
    assert selectors.body_of(offer)["discountValue"] == "20"


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
