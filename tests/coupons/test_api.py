"""Coupons over HTTP: Module 11's shapes, and every refusal at its field."""

from marketing.core.tenancy import tenant_scope
from marketing.coupons import services
from marketing.coupons.models import CodeBatch, CouponCode, Offer
from tests.coupons.http import COUPON, FREE, NOBODY, expected, fields, refused_at
from tests.factories.coupons import make_offer, sell, system
from tests.factories.customers import CustomerFactory


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
