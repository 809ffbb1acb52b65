"""Offers as the API spells them, and what is wrong with some."""

import datetime as dt

import pytest

from marketing.coupons.pricing.faults import Fault, FaultCode
from marketing.coupons.pricing.terms import (
    BuyGet,
    Caps,
    DateSpan,
    HourWindow,
    Kind,
    Limits,
    OfferTerms,
    Scope,
    Selection,
    SpendTier,
    Stacking,
    Thresholds,
    Timetable,
)
from marketing.coupons.pricing.terms_check import terms_faults
from marketing.coupons.pricing.wire import WireError, paise, read_cart, read_offer
from tests.coupons.pricing.bills import flat, share
from tests.coupons.pricing.vectors import rows


def test_module_11s_coupon_is_an_offer():
    terms = read_offer(
        {
            "code": "WELCOME",
            "name": "Welcome",
            "discountType": "percentage",
            "discountValue": 12.5,
            "validFrom": "2026-03-01",
            "validUntil": "2026-03-31",
            "maxTotalUses": 100,
            "minOrderAmount": 500,
            "maxDiscountAmount": "250.00",
            "branchIds": ["b"],
            "serviceIds": ["s"],
            "categoryIds": None,
            "segmentId": "g",
        },
        offer="o",
    )
    assert (terms.rate_bp, terms.scope, terms.automatic) == (1250, Scope.BILL, False)
    assert terms.timetable.starts == dt.datetime(2026, 3, 1)
    assert terms.timetable.ends == dt.datetime(2026, 4, 1)
    assert (terms.limits.total, terms.limits.per_customer) == (100, 1)
    assert (terms.thresholds.min_amount, terms.caps.bill) == (500_00, 250_00)
    assert terms.selection == Selection(services=frozenset({"s"}))
    assert terms.audience.segments == {"g"}
    assert terms.combining.stacking is Stacking.NONE
    assert terms_faults(terms) == []


def test_a_free_service_is_its_selection():
    body = {"discountType": "free_service", "discountValue": 0, "freeServiceId": "spa"}
    assert read_offer(body, offer="o").selection.services == {"spa"}
    assert read_offer({**body, "allowStacking": True}, offer="o").combining.stacking == "item"


@pytest.mark.parametrize("value", ["1.005", "x", "NaN", "Infinity", True])
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(WireError, match="amount"):
        paise(value, "amount")


@pytest.mark.parametrize(("value", "amount"), [("1.50", 150), (2, 200), (0.1, 10), ("-3.00", -300)])
def test_rupees_are_read_exactly(value, amount):
    assert paise(value, "amount") == amount


def test_paths_of_what_cannot_be_read():
    with pytest.raises(WireError, match=r"lines\.0\.unitPrice"):
        read_cart(
            {
                "branchId": "b",
                "at": "2026-03-04T10:00:00Z",
                "lines": [{"serviceId": "s", "unitPrice": "1.234"}],
            },
            timezone="Asia/Kolkata",
            codes=[],
        )
    with pytest.raises(WireError, match="discountType"):
        read_offer({"discountType": "magic"}, offer="o")


def test_all_offers_of_the_vectors_are_sound():
    for row in rows():
        for name, body in row.get("offers", {}).items():
            assert terms_faults(read_offer(body, offer=name)) == []


def tiered(*tiers, by="amount"):
    made = tuple(SpendTier(**{"threshold": threshold, by: give}) for threshold, give in tiers)
    return OfferTerms(id="o", kind=Kind.SPEND_TIERS, tiers=made)


@pytest.mark.parametrize(
    ("terms", "field", "code"),
    [
        (share(percent=0), "discountValue", FaultCode.OUT_OF_RANGE),
        (share(percent=101), "discountValue", FaultCode.OUT_OF_RANGE),
        (flat(rupees=0), "discountValue", FaultCode.OUT_OF_RANGE),
        (flat(rupees=10**10), "discountValue", FaultCode.OUT_OF_RANGE),
        (share(scope=Scope.UNIT), "scope", FaultCode.NOT_FOR_KIND),
        (OfferTerms(id="o", kind=Kind.FREE_SERVICE), "freeServiceId", FaultCode.REQUIRED),
        (OfferTerms(id="o", kind=Kind.SPEND_TIERS), "tiers", FaultCode.REQUIRED),
        (
            OfferTerms(
                id="o",
                kind=Kind.SPEND_TIERS,
                tiers=(SpendTier(threshold=3, amount=1), SpendTier(threshold=2, amount=2)),
            ),
            "tiers",
            FaultCode.NOT_RISING,
        ),
        (
            OfferTerms(
                id="o",
                kind=Kind.SPEND_TIERS,
                tiers=(SpendTier(threshold=1, amount=1), SpendTier(threshold=2, rate_bp=2)),
            ),
            "tiers",
            FaultCode.MIXED,
        ),
        (tiered((500_00, 600_00)), "tiers.0.amount", FaultCode.GIVES_MORE),
        (tiered((0, 1)), "tiers.0.amount", FaultCode.GIVES_MORE),
        (tiered((500_00, 500_00), (600_00, 600_01)), "tiers.1.amount", FaultCode.GIVES_MORE),
        (tiered((500_00, 100_01), by="rate_bp"), "tiers.0.percent", FaultCode.OUT_OF_RANGE),
        (OfferTerms(id="o", kind=Kind.BUNDLE), "bundle", FaultCode.REQUIRED),
        (OfferTerms(id="o", kind=Kind.BUY_X_GET_Y), "buyGet", FaultCode.REQUIRED),
        (
            OfferTerms(
                id="o", kind=Kind.BUY_X_GET_Y, buy_get=BuyGet(buy_quantity=1, get_quantity=0)
            ),
            "buyGet",
            FaultCode.OUT_OF_RANGE,
        ),
        (flat(limits=Limits(total=0)), "maxTotalUses", FaultCode.OUT_OF_RANGE),
        (flat(limits=Limits(budget=-1)), "budget", FaultCode.OUT_OF_RANGE),
        (flat(limits=Limits(budget=10**12 + 1)), "budget", FaultCode.OUT_OF_RANGE),
        (flat(caps=Caps(bill=0)), "maxDiscountAmount", FaultCode.OUT_OF_RANGE),
        (
            flat(thresholds=Thresholds(min_amount=2, max_amount=1)),
            "maxOrderAmount",
            FaultCode.OUT_OF_RANGE,
        ),
        (
            flat(timetable=Timetable(starts=dt.datetime(2026, 1, 1), ends=dt.datetime(2026, 1, 1))),
            "validUntil",
            FaultCode.ENDS_BEFORE_START,
        ),
        (
            flat(timetable=Timetable(hours=(HourWindow(start=1440, until=1),))),
            "hours",
            FaultCode.OUT_OF_RANGE,
        ),
        (
            flat(
                timetable=Timetable(
                    blackouts=(DateSpan(first=dt.date(2026, 1, 2), last=dt.date(2026, 1, 1)),)
                )
            ),
            "blackouts",
            FaultCode.ENDS_BEFORE_START,
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_field(terms, field, code):
    assert terms_faults(terms) == [Fault(field, code)]
