"""Coupons and offers over HTTP: Module 11's shapes, and every refusal at its field."""

import uuid

import pytest
from django.core.cache import cache

from marketing.core.tenancy import tenant_scope
from marketing.coupons import selectors, services
from marketing.coupons.models import CodeBatch, CouponCode, Offer, OfferRevision
from marketing.segments.models import Segment
from tests.factories.coupons import make_offer, sell, system
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.page_queries import questions

COUPON = {
    "code": "diwali २०",
    "name": "दिवाली 🎉",
    "description": "",
    "discountType": "percentage",
    "discountValue": 20,
    "validFrom": "2026-01-01",
    "validUntil": "2099-12-31",
    "minOrderAmount": "500",
}
OFFER = {"name": "Any", "discountType": "flat", "discountValue": "100.00", "automatic": True}
NOBODY = str(uuid.uuid4())


@pytest.fixture
def api(login):
    """`api(staff, method, path, body, **headers)` answers with status and JSON."""
    clients = {}

    def call(staff, method, path, body=None, **headers):
        client = clients.setdefault(staff, login(staff))
        sent = {} if method == "get" else {"content_type": "application/json"}
        answer = getattr(client, method)(f"/api/v1/{path}", body or {}, headers=headers, **sent)
        return answer.status_code, answer.json() if answer.content else {}

    return call


def fields(answer):
    status, found = answer
    assert status == 400, found
    assert found["error"]["code"] == "MARKETING_400"
    return found["error"]["fields"]


def test_module_11s_coupon_is_made_read_changed_and_switched_off(chain, api):
    status, made = api("owner", "post", "coupons", COUPON)
    assert status == 201
    coupon = made["data"]["coupon"]
    for moment in ("createdAt", "updatedAt"):
        assert coupon.pop(moment)
    assert coupon == {
        "id": str(Offer.objects.get().pk),
        "tenantId": str(chain.tenant.pk),
        "code": "DIWALI20",
        "name": "दिवाली 🎉",
        "description": "",
        "discountType": "percentage",
        "discountValue": "20.00",
        "freeServiceId": None,
        "validFrom": "2026-01-01",
        "validUntil": "2099-12-31",
        "maxTotalUses": None,
        "maxUsesPerCustomer": 1,
        "currentUses": 0,
        "minOrderAmount": "500.00",
        "maxDiscountAmount": None,
        "branchIds": None,
        "serviceIds": None,
        "categoryIds": None,
        "segmentId": None,
        "allowStacking": False,
        "isActive": True,
        "campaignId": None,
        "currency": "INR",
        "version": 1,
        "createdBy": str(chain.owner.user_id),
    }
    one = f"coupons/{coupon['id']}"
    values = {"minOrderAmount": None, "maxDiscountAmount": "250", "allowStacking": True}
    status, changed = api("owner", "patch", one, values, **{"If-Match": '"1"'})
    changed = changed["data"]["coupon"]
    assert (status, changed["version"], changed["minOrderAmount"]) == (200, 2, None)
    assert (changed["maxDiscountAmount"], changed["allowStacking"]) == ("250.00", True)
    status, stale = api("owner", "patch", one, {"name": "Late", "version": 1})
    assert (status, stale["error"]["code"]) == (409, "MARKETING_409")
    assert stale["error"]["details"] == {"current": 2}
    assert api("owner", "delete", one, **{"If-Match": "1"})[0] == 409
    status, off = api("owner", "delete", one)
    assert (status, off["data"]["coupon"]["isActive"]) == (200, False)
    assert api("receptionist", "get", one)[1]["data"]["coupon"]["version"] == 3
    assert Offer.objects.get().name == "दिवाली 🎉"


def test_a_coupon_without_a_code_is_given_one_that_can_be_read_out(chain, api):
    codes = [
        api("owner", "post", "coupons", {**COUPON, "code": blank})[1]["data"]["coupon"]["code"]
        for blank in ("", None)
    ]
    assert len(set(codes)) == 2
    assert all(len(code) == len("ABC-DEF-GHJ") for code in codes)
    # Nor do they keep generated ones of the same look from being made.
    services.make_codes(actor=system(), offer=Offer.objects.first(), count=5)


def refused_at(api, path, body, table):
    """Where each body of the table is refused."""
    return {
        name: list(fields(api("owner", "post", path, {**body, **change})))
        for name, (change, _field) in table.items()
    }


def expected(table):
    return {name: [field] for name, (_change, field) in table.items()}


FREE = {"discountType": "free_service", "discountValue": 0}
BAD_COUPONS = {
    "no name": ({"name": " "}, "name"),
    "a long name": ({"name": "x" * 101}, "name"),
    "nul": ({"name": "a\x00b"}, "name"),
    "a short code": ({"code": "AB"}, "code"),
    "a long code": ({"code": "A" * 51}, "code"),
    "a code with signs": ({"code": "TEN%OFF"}, "code"),
    "a code of emoji": ({"code": "🎉🎉🎉"}, "code"),
    "another kind": ({"discountType": "bundle"}, "discountType"),
    "no value": ({"discountValue": None}, "discountValue"),
    "nothing off": ({"discountValue": 0}, "discountValue"),
    "below zero": ({"discountValue": "-1"}, "discountValue"),
    "more than all": ({"discountValue": "100.01"}, "discountValue"),
    "three places": ({"discountValue": "1.005"}, "discountValue"),
    "a word": ({"discountValue": "ten"}, "discountValue"),
    "not finite": ({"discountValue": "Infinity"}, "discountValue"),
    "a huge amount": ({"discountType": "flat", "discountValue": "1000000000000"}, "discountValue"),
    "free of what": (FREE, "freeServiceId"),
    "a service that is not there": ({**FREE, "freeServiceId": NOBODY}, "freeServiceId"),
    "no first day": ({"validFrom": None}, "validFrom"),
    "no such day": ({"validFrom": "2026-02-30"}, "validFrom"),
    "back to front": ({"validUntil": "2025-12-31"}, "validUntil"),
    "no uses": ({"maxTotalUses": 0}, "maxTotalUses"),
    "half a use": ({"maxTotalUses": 1.5}, "maxTotalUses"),
    "no uses a person": ({"maxUsesPerCustomer": 0}, "maxUsesPerCustomer"),
    "uses beyond counting": ({"maxTotalUses": 2**31}, "maxTotalUses"),
    "a cap of nothing": ({"maxDiscountAmount": 0}, "maxDiscountAmount"),
    "a minimum below zero": ({"minOrderAmount": -5}, "minOrderAmount"),
    "no id": ({"branchIds": ["north"]}, "branchIds.0"),
    "no such branch": ({"branchIds": [NOBODY]}, "branchIds"),
    "no such service": ({"serviceIds": [NOBODY]}, "serviceIds"),
    "no such category": ({"categoryIds": [NOBODY]}, "categoryIds"),
    "no such segment": ({"segmentId": NOBODY}, "segmentId"),
    "too many ids": ({"serviceIds": [NOBODY] * 1001}, "serviceIds"),
    "an unknown field": ({"colour": "red"}, "colour"),
    "a field of offers": ({"tiers": []}, "tiers"),
}


def test_bad_coupons_are_refused_at_the_field_and_leave_nothing(chain, api):
    assert refused_at(api, "coupons", COUPON, BAD_COUPONS) == expected(BAD_COUPONS)
    assert api("owner", "post", "coupons", [])[0] == 400
    assert not Offer.objects.exists()
    assert not CouponCode.objects.exists()


TIERS = {"discountType": "spend_tiers", "discountValue": None}
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
    "buy nothing": (BUY, "buyGet"),
    "buy both": ({**BUY, "buyGet": {"buyQuantity": 1, "buyAmount": "5"}}, "buyGet"),
    "get nobody's": (
        {**BUY, "buyGet": {"buyQuantity": 1, "get": {"serviceIds": [NOBODY]}}},
        "buyGet.get.serviceIds",
    ),
    "an unknown field within": ({**BUY, "buyGet": {"free": 1}}, "buyGet.free"),
    "no bundle": ({"discountType": "bundle"}, "bundle"),
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


def test_a_branch_manager_sees_all_and_changes_what_is_hers_alone(chain, api):
    theirs = make_offer(code="CHAIN", branchIds=[str(chain.north.pk), str(chain.south.pk)])
    everywhere = make_offer(code="ALL")
    _status, made = api("manager", "post", "coupons", COUPON)
    hers = made["data"]["coupon"]
    assert hers["branchIds"] == [str(chain.north.pk)]
    assert len(api("manager", "get", "coupons")[1]["data"]) == 3
    for other in (theirs, everywhere):
        for method, path in (
            ("patch", f"coupons/{other.pk}"),
            ("patch", f"offers/{other.pk}"),
            ("delete", f"coupons/{other.pk}"),
            ("post", f"offers/{other.pk}/codes"),
        ):
            body = {"count": 2} if method == "post" else {"name": "Mine"}
            assert api("manager", method, path, body)[0] == 403, path
    assert not CodeBatch.objects.exists()
    assert {offer.version for offer in (theirs, everywhere)} == {1}
    one = f"coupons/{hers['id']}"
    south = {"branchIds": [str(chain.south.pk)]}
    assert list(fields(api("manager", "patch", one, south))) == ["branchIds"]
    assert api("manager", "patch", one, {"name": "Ours"})[0] == 200
    assert api("receptionist", "patch", one, {"name": "Ours"})[0] == 403


def test_codes_are_the_chains_own_and_unique_however_written(chain, other_chain, api):
    with tenant_scope(other_chain.tenant.pk):
        foreign = make_offer(code="DIWALI20")
    assert api("owner", "post", "coupons", COUPON)[0] == 201
    for code in ("DIWALI20", "diwali-20", "DIWALI २०"):
        assert fields(api("owner", "post", "coupons", {**COUPON, "code": code})) == {
            "code": ["This code is taken."]
        }
    assert api("owner", "get", f"coupons/{foreign.pk}")[0] == 404
    assert api("owner", "patch", f"offers/{foreign.pk}", {"name": "x"})[0] == 404


def test_a_coupon_sent_twice_under_one_key_is_one(chain, api):
    key = {"Idempotency-Key": "k"}
    first, second = (api("owner", "post", "coupons", COUPON, **key) for _ in range(2))
    assert first[1]["data"] == second[1]["data"]
    assert Offer.objects.count() == 1
    assert api("owner", "post", "coupons", {**COUPON, "name": "B"}, **key)[0] == 422


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
    assert list(fields(api("owner", "get", "coupons", {"branchId": "north"}))) == ["branchId"]


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


def test_redemptions_are_those_of_the_callers_branches(chain, api):
    she = CustomerFactory()
    offer = make_offer(code="TEN")
    for branch, invoice in ((chain.north, "A"), (chain.south, "B")):
        sell(branch, "100.00", customer=she, codes=["TEN"], invoice_id=invoice)
    path = f"coupons/{offer.pk}/redemptions"
    _status, found = api("receptionist", "get", path)
    [row] = found["data"]
    assert row.pop("redeemedAt")
    assert row.pop("id")
    assert row == {
        "tenantId": str(chain.tenant.pk),
        "couponId": str(offer.pk),
        "customerId": str(she.pk),
        "invoiceId": "A",
        "branchId": str(chain.north.pk),
        "code": "TEN",
        "discountAmount": "10.00",
        "returnedAmount": "0.00",
        "state": "redeemed",
    }
    assert len(api("owner", "get", path)[1]["data"]) == 2
    asked = {"branchId": str(chain.south.pk), "redeemedFrom": "2020-01-01T00:00:00Z"}
    assert [r["invoiceId"] for r in api("owner", "get", path, asked)[1]["data"]] == ["B"]
    assert api("owner", "get", path, {"redeemedUntil": "2020-01-01T00:00:00Z"})[1]["data"] == []


@pytest.fixture
def check(chain, api):
    """`check(code, amount, **more)` asks `coupons/validate` at North; what it says."""
    cache.clear()
    she = CustomerFactory()

    def ask(code, amount="600", staff="receptionist", **more):
        body = {
            "code": code,
            "customerId": str(she.pk),
            "branchId": str(chain.north.pk),
            "orderAmount": amount,
        }
        return api(staff, "post", "coupons/validate", {**body, **more})

    yield ask
    cache.clear()


def test_validate_says_what_is_given_or_the_first_reason(chain, check):
    south = str(chain.south.pk)
    make_offer(code="TEN", minOrderAmount="500", maxDiscountAmount="55")
    make_offer(code="LATE", validUntil="2020-01-01", minOrderAmount="9000", branchIds=[south])
    make_offer(code="SOUTH", branchIds=[south])
    free = ServiceFactory()
    make_offer(code="FREE", **FREE, freeServiceId=str(free.pk))
    services.deactivate_offer(actor=system(), offer=make_offer(code="OFF"))
    status, answer = check("t-e-n")
    data = answer["data"]
    assert (status, data["valid"], data["discountAmount"]) == (200, True, "55.00")
    assert (data["coupon"]["code"], data["invalidReason"], data["reasons"]) == ("TEN", None, [])
    short = check("TEN", "420.00")[1]["data"]
    assert (short["valid"], short["invalidReason"]) == (False, "min_order_not_met")
    assert short["reasons"] == [
        {"code": "min_amount_short", "have": "420.00", "need": "500.00", "shortBy": "80.00"}
    ]
    late = check("LATE")[1]["data"]
    assert late["invalidReason"] == "expired"
    why = {each["code"] for each in late["reasons"]}
    assert why == {"expired", "wrong_branch", "min_amount_short"}
    assert check("SOUTH")[1]["data"]["invalidReason"] == "branch_not_eligible"
    unknown = check("NOSUCH")[1]["data"]
    assert (unknown["invalidReason"], "coupon" in unknown) == ("invalid_code", False)
    assert check("OFF")[1]["data"]["invalidReason"] == "invalid_code"
    free_of = check("FREE")[1]["data"]
    assert (free_of["valid"], free_of["discountAmount"]) == (True, "0.00")
    wrong = check("FREE", serviceIds=[str(ServiceFactory().pk)])[1]["data"]
    assert wrong["invalidReason"] == "service_not_eligible"
    line = {"serviceId": str(free.pk), "unitPrice": "250"}
    assert check("FREE", lines=[line])[1]["data"]["discountAmount"] == "250.00"


def test_validate_refuses_what_cannot_be_asked(chain, other_chain, check):
    assert list(fields(check("TEN", "-1"))) == ["orderAmount"]
    assert list(fields(check("T" * 101))) == ["code"]
    assert list(fields(check("TEN", lines=[{"serviceId": "", "unitPrice": "1"}]))) == [
        "lines.0.serviceId"
    ]
    over = {"serviceId": "s", "unitPrice": "5", "manualDiscount": "6"}
    assert list(fields(check("TEN", lines=[over]))) == ["lines.0.manualDiscount"]
    for name, pk in (("branchId", chain.south.pk), ("branchId", other_chain.north.pk)):
        assert check("TEN", **{name: str(pk)})[0] == 404
    assert check("TEN", customerId=NOBODY)[0] == 404


def test_whoever_guesses_is_refused_for_a_minute(chain, check, api):
    make_offer(code="TEN")
    for number in range(10):
        assert check(f"GUESS{number}")[1]["data"]["invalidReason"] == "invalid_code"
    status, refused = check("TEN")
    assert (status, refused["error"]["code"]) == (429, "MARKETING_429")
    assert refused["error"]["details"]["retryAfter"] >= 59
    assert check("TEN", staff="manager")[0] == 200


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
    assert not CouponCode.objects.filter(revoked_at=None).exists()
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
