"""Offers and their codes over HTTP: lists, every field, every refusal at its field."""

import uuid

import pytest

from marketing.coupons import selectors, services
from marketing.coupons.models import CodeBatch, CouponCode, Offer, OfferRevision
from marketing.segments.models import Segment
from tests.coupons.http import COUPON, NOBODY, OFFER, TIERS, expected, fields, refused_at
from tests.factories.coupons import make_offer, sell, system
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.page_queries import questions

BUY = {"discountType": "buy_x_get_y", "discountValue": None}
BAD_OFFERS = {
    "a code of its own": ({"code": "ABC"}, "code"),
    "no tiers": (TIERS, "tiers"),
    "falling tiers": (
        {**TIERS, "tiers": [{"from": "9", "percent": 9}, {"from": "5", "percent": 10}]},
        "tiers",
    ),
    "a tier from nowhere": ({**TIERS, "tiers": [{"percent": 5}]}, "tiers.0.from"),
    "a tier of three places": (
        {**TIERS, "tiers": [{"from": "1.001", "percent": 5}]},
        "tiers.0.from",
    ),
    "a tier that gives more than it asks": (
        {**TIERS, "tiers": [{"from": "500", "amount": "600"}]},
        "tiers.0.amount",
    ),
    "a tier of more than all": (
        {**TIERS, "tiers": [{"from": "500", "percent": "150"}]},
        "tiers.0.percent",
    ),
    "buy nothing": (BUY, "buyGet"),
    "buy both": ({**BUY, "buyGet": {"buyQuantity": 1, "buyAmount": "5"}}, "buyGet"),
    "get nobody's": (
        {**BUY, "buyGet": {"buyQuantity": 1, "get": {"serviceIds": [NOBODY]}}},
        "buyGet.get.serviceIds",
    ),
    "an unknown field within": ({**BUY, "buyGet": {"free": 1}}, "buyGet.free"),
    "no bundle": ({"discountType": "bundle"}, "bundle"),
    "a price nobody said": (
        {"discountType": "fixed_price", "discountValue": None},
        "discountValue",
    ),
    "a bundle at no price": (
        {"discountType": "bundle", "discountValue": None, "bundle": {"parts": [{"quantity": 1}]}},
        "discountValue",
    ),
    "no parts": ({"discountType": "bundle", "bundle": {}}, "bundle.parts"),
    "hours that are none": ({"hours": [{"from": "25:00", "until": "23:00"}]}, "hours.0.from"),
    "days that are none": (
        {"hours": [{"from": "10:00", "until": "12:00", "weekdays": ["mon"]}]},
        "hours.0.weekdays.0",
    ),
    "a blackout back to front": (
        {"blackouts": [{"from": "2026-02-02", "until": "2026-02-01"}]},
        "blackouts",
    ),
    "a zone of its own": ({"startsAt": "2026-01-01T10:00:00Z"}, "startsAt"),
    "ends before it starts": (
        {"startsAt": "2026-01-01T10:00", "endsAt": "2026-01-01T09:00"},
        "validUntil",
    ),
    "an unknown preset": ({"stacking": "always"}, "stacking"),
    "no budget": ({"budget": 0}, "budget"),
    "the nth visit": ({"nthVisit": 0}, "nthVisit"),
    "most below least": ({"minOrderAmount": 10, "maxOrderAmount": 5}, "maxOrderAmount"),
    "per unit of a share": (
        {"discountType": "percentage", "discountValue": 5, "scope": "unit"},
        "scope",
    ),
    "requires what is not there": ({"requires": {"categoryIds": [NOBODY]}}, "requires.categoryIds"),
}


def test_bad_offers_are_refused_at_the_field_and_leave_nothing(chain, api):
    assert refused_at(api, "offers", OFFER, BAD_OFFERS) == expected(BAD_OFFERS)
    assert not Offer.objects.exists()


def test_an_offer_goes_by_itself_or_by_a_code(chain, api):
    by_itself, by_code = make_offer(), make_offer(code="TEN")
    for offer, values in ((by_itself, {"code": "TWENTY"}), (by_code, {"automatic": True})):
        answer = api("owner", "patch", f"offers/{offer.pk}", values)
        assert fields(answer) == {"code": ["An offer that applies by itself has no code."]}
    assert {offer.version for offer in Offer.objects.all()} == {1}
    large = {"budget": "9999999999.99"}
    assert api("owner", "patch", f"offers/{by_itself.pk}", large)[0] == 200
    both = {"automatic": True, "code": None}
    assert api("owner", "patch", f"offers/{by_code.pk}", both)[0] == 200


def test_an_offer_of_everything_comes_back_as_it_was_sent(chain, api):
    service = ServiceFactory()
    segment = Segment.objects.create(name="All", rules={})
    sent = {
        "name": "Everything",
        "description": "Said",
        "discountType": "buy_x_get_y",
        "buyGet": {
            "buyAmount": "900.00",
            "getQuantity": 1,
            "percent": "50.00",
            "get": {"categoryIds": [str(service.category_id)]},
            "pick": "dearest",
            "maxGroups": 2,
        },
        "serviceIds": [str(service.pk)],
        "excludedServiceIds": [str(ServiceFactory().pk)],
        "skipDiscounted": True,
        "skipAddons": True,
        "groupBy": "performed_on",
        "startsAt": "2026-01-01T10:00",
        "endsAt": "2099-01-01T20:00",
        "hours": [{"from": "22:00", "until": "02:00", "weekdays": ["friday"]}],
        "blackouts": [{"from": "2026-11-08", "until": "2026-11-09"}],
        "branchIds": [str(chain.north.pk)],
        "excludedSegmentIds": [str(segment.pk)],
        "loyaltyTiers": ["Gold"],
        "nthVisit": 3,
        "minOrderAmount": "100.00",
        "amountBasis": "running",
        "amountOf": "eligible",
        "minQuantity": 2,
        "requires": {"serviceIds": [str(service.pk)], "quantity": 1},
        "maxDiscountPerLine": "80.00",
        "floorPrice": "10.00",
        "maxTotalUses": 10,
        "maxUsesPerCustomer": None,
        "maxUsesPerBranch": 5,
        "maxUsesPerPeriod": 1,
        "usePeriod": "week",
        "budget": "10000.00",
        "budgetPolicy": "partial",
        "stacking": "invoice",
        "priority": -3,
        "tags": ["spa"],
        "combinesWith": ["hair"],
        "automatic": True,
        "reusableAfterCancel": False,
    }
    status, made = api("manager", "post", "offers", sent)
    assert status == 201, made
    offer = made["data"]["offer"]
    assert {name: offer[name] for name in sent} == sent
    terms = selectors.terms_of(Offer.objects.get())
    assert (terms.buy_get.buy_amount, terms.limits.budget) == (90_000, 1_000_000)
    path = f"offers/{offer['id']}"
    status, same = api("manager", "patch", path, sent)
    assert (status, same["data"]["offer"]["version"]) == (200, 1)
    fewer = {"buyGet": None, "discountType": "flat", "discountValue": "5"}
    status, changed = api("manager", "patch", path, fewer)
    assert (status, changed["data"]["offer"]["version"]) == (200, 2)
    assert OfferRevision.objects.count() == 2
    assert fields(api("manager", "patch", path, {"maxTotalUses": 0})) == {
        "maxTotalUses": ["Ensure this value is greater than or equal to 1."]
    }


def test_lists_are_filtered_and_paged(chain, api):
    coupon = make_offer(code="SPA", validUntil="2026-03-01", name="Spa days")
    south = make_offer(code="SOUTH", branchIds=[str(chain.south.pk)])
    auto, tiered = make_offer(), make_offer(**TIERS, code="TIER", tiers=[{"from": 1, "percent": 5}])
    services.deactivate_offer(actor=system(), offer=south)

    def listed(path, **asked):
        _status, found = api("receptionist", "get", path, asked)
        return [uuid.UUID(row["id"]) for row in found["data"]]

    assert listed("coupons") == [south.pk, coupon.pk]
    assert listed("offers") == [tiered.pk, auto.pk, south.pk, coupon.pk]
    assert listed("offers", automatic="true") == [auto.pk]
    assert listed("offers", discountType="spend_tiers") == [tiered.pk]
    assert listed("coupons", isActive="false") == [south.pk]
    assert listed("coupons", branchId=str(chain.north.pk)) == [coupon.pk]
    assert listed("coupons", validOn="2026-03-02") == [south.pk]
    assert listed("coupons", code="s-p-a") == [coupon.pk]
    assert listed("coupons", q="spa d") == [coupon.pk]
    assert listed("coupons", limit=1) == [south.pk]
    assert listed("coupons", isActive="") == [south.pk, coupon.pk]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("coupons", {"isActive": "maybe", "branchId": "north", "validOn": "2026-02-30"}),
        ("offers", {"automatic": "2", "discountType": "magic", "campaignId": "x"}),
        ("coupons/{}/redemptions", {"state": "gone", "customerId": "x", "redeemedFrom": "soon"}),
        ("offers/{}/codes", {"state": "gone", "batchId": "x"}),
        ("offers/{}/batches", {}),
    ],
)
def test_what_a_list_cannot_read_is_refused_at_its_parameter(chain, api, path, parameters):
    path = path.format(make_offer(code="TEN").pk)
    sizes = [("limit", size) for size in ("0", "-1", "201", "x", "", "1.5", "9" * 5_000, "५")]
    for name, value in [*parameters.items(), *sizes, ("ordering", "price")]:
        assert list(fields(api("owner", "get", path, {name: value}))) == [name], value
    assert api("owner", "get", path, {"limit": "200"})[0] == 200


def test_a_list_takes_as_many_statements_for_many_as_for_one(chain, login):
    offer = make_offer(code="ONE", maxTotalUses=5)
    client = login("owner")
    services.make_codes(actor=system(), offer=offer, count=2)
    paths = [
        f"/api/v1/{path}"
        for path in (
            "coupons",
            "offers",
            *(f"offers/{offer.pk}/{of}" for of in ("codes", "batches")),
        )
    ]
    redeemed = f"/api/v1/coupons/{offer.pk}/redemptions"
    sell(chain.north, codes=["ONE"])
    few = [len(questions(client, path)[0]) for path in (*paths, redeemed)]
    for number in range(4):
        make_offer(code=f"MORE{number}", maxTotalUses=5)
        services.make_codes(actor=system(), offer=offer, count=2)
        sell(chain.north, codes=["ONE"])
    assert [len(questions(client, path)[0]) for path in (*paths, redeemed)] == few


def test_codes_are_made_listed_and_revoked(chain, api):
    offer = make_offer(automatic=False)
    path = f"offers/{offer.pk}"
    asked = {"count": 3, "prefix": "gift", "name": "Cards", "expiresAt": "2099-01-01T00:00:00Z"}
    status, made = api("owner", "post", f"{path}/codes", asked, **{"Idempotency-Key": "k"})
    batch = made["data"]["batch"]
    assert (status, batch["state"], batch["prefix"], batch["maxUses"]) == (202, "making", "GIFT", 1)
    assert api("owner", "post", f"{path}/codes", asked, **{"Idempotency-Key": "k"})[1] == made
    services.make_part(batch_id=uuid.UUID(batch["id"]))
    assert api("owner", "get", f"{path}/batches/{batch['id']}")[1]["data"]["batch"]["made"] == 3
    assert len(api("owner", "get", f"{path}/batches")[1]["data"]) == 1
    _status, listed = api("owner", "get", f"{path}/codes", {"batchId": batch["id"]})
    first, second, _third = listed["data"]
    assert first["code"].startswith("GIFT-")
    assert api("owner", "delete", f"{path}/codes/{first['id']}")[0] == 204
    live = api("owner", "get", f"{path}/codes", {"state": "live"})[1]["data"]
    assert [code["id"] for code in live] == [code["id"] for code in listed["data"][1:]]
    spelled = api("owner", "get", f"{path}/codes", {"code": second["code"].lower()})[1]["data"]
    assert [code["id"] for code in spelled] == [second["id"]]
    other = make_offer(automatic=False)
    assert api("owner", "delete", f"offers/{other.pk}/codes/{second['id']}")[0] == 404
    assert api("owner", "delete", f"offers/{other.pk}/batches/{batch['id']}")[0] == 404
    status, over = api("owner", "delete", f"{path}/batches/{batch['id']}")
    assert (status, over["data"]["batch"]["state"]) == (200, "revoked")
    listed = api("owner", "get", f"{path}/codes")[1]["data"]
    assert all(code["revokedAt"] for code in listed)
    assert api("owner", "get", f"{path}/codes", {"state": "live"})[1]["data"] == []
    assert len(api("owner", "get", f"{path}/codes", {"state": "revoked"})[1]["data"]) == len(listed)
    for change, field in (
        ({"count": 0}, "count"),
        ({"count": 1_000_001}, "count"),
        ({"prefix": "TEN%"}, "prefix"),
        ({"symbols": 3}, "symbols"),
        ({"maxUses": 0}, "maxUses"),
        ({"pattern": "X"}, "pattern"),
    ):
        assert list(fields(api("owner", "post", f"{path}/codes", {"count": 1, **change}))) == [
            field
        ]
    assert CodeBatch.objects.count() == 1


def test_codes_of_other_branches_are_not_shown(chain, api, login):
    souths = make_offer(automatic=False, branchIds=[str(chain.south.pk)])
    chains = make_offer(automatic=False)
    batch = services.make_codes(actor=system(), offer=souths, count=1)
    services.make_part(batch_id=batch.pk)
    code = CouponCode.objects.get(batch=batch)
    pages = (
        f"offers/{souths.pk}/codes",
        f"offers/{souths.pk}/codes/{code.pk}/card.pdf",
        f"offers/{souths.pk}/batches/{batch.pk}/download",
        f"offers/{souths.pk}/batches/{batch.pk}/cards.pdf",
    )
    for staff, status in (("manager", 404), ("regional", 200)):
        assert api(staff, "get", f"offers/{souths.pk}/codes")[0] == status
        assert api(staff, "get", f"offers/{chains.pk}/codes")[0] == 200
        client = login(staff)
        assert [client.get(f"/{page}").status_code for page in pages] == [status] * len(pages)
        shown = client.get(f"/offers/{souths.pk}").content.decode()
        assert (f'"/offers/{souths.pk}/codes"' in shown) == (status == 200)


def test_days_at_the_end_of_time_are_days(chain, api, login):
    make_offer(name="Far", validFrom="9999-06-01", validUntil="9999-12-31")
    make_offer(name="Long", startsAt="0001-01-01T00:00", endsAt="9999-12-31T23:59", priority=1)
    closed = [{"from": "0001-01-01", "until": "9999-12-31"}]
    make_offer(name="Never", blackouts=closed)
    dates = {"validFrom": "0001-01-01", "validUntil": "9999-12-31"}
    status, made = api("owner", "post", "coupons", COUPON | dates | {"allowStacking": True})
    assert (status, made["data"]["coupon"]["validUntil"]) == (201, "9999-12-31")
    she = CustomerFactory()
    sold = sell(chain.north, "1000.00", customer=she, codes=[made["data"]["coupon"]["code"]])
    assert sorted(row.offer.name for row in sold.redemptions) == ["Long", COUPON["name"]]
    client = login("owner")
    for offer in Offer.objects.all():
        assert client.get(f"/offers/{offer.pk}").status_code == 200
        assert client.get(f"/offers/{offer.pk}/edit").status_code == 200
    assert client.get("/offers").status_code == 200
