"""Module 11's `coupons/validate`."""

import datetime as dt

import pytest

from marketing.coupons.pricing.bill import EnteredCode
from marketing.coupons.pricing.facts import Customer, OfferUsage, Settings
from marketing.coupons.pricing.reasons import Reason, ReasonCode
from marketing.coupons.pricing.terms import (
    Audience,
    Kind,
    Limits,
    Places,
    Selection,
    Thresholds,
    Timetable,
)
from marketing.coupons.pricing.validity import (
    InvalidReason,
    first_invalid,
    validate,
    validate_amount,
)
from tests.coupons.pricing.bills import cart, flat, line, share

CODE = EnteredCode(code="TEN", offer="flat")
SHE = Customer(id="she")
CUT = Selection(services=frozenset({"cut"}))
FAULTS = [
    ("invalid_code", {"active": False}),
    ("expired", {"timetable": Timetable(ends=dt.datetime(2026, 3, 1))}),
    ("max_uses_reached", {"limits": Limits(total=1)}),
    ("customer_limit_reached", {"limits": Limits(per_customer=1)}),
    ("min_order_not_met", {"thresholds": Thresholds(min_amount=999_00)}),
    ("branch_not_eligible", {"places": Places(branches=frozenset({"other"}))}),
    ("service_not_eligible", {"selection": CUT}),
    ("segment_not_eligible", {"audience": Audience(segments=frozenset({"vip"}))}),
]
FACTS = {
    "customer": SHE,
    "usage": OfferUsage(total=1, customer=1),
    "settings": Settings(),
}


@pytest.mark.parametrize("first", range(len(FAULTS)))
def test_first_fault_in_the_order_is_told(first):
    terms = {}
    for _, fault in reversed(FAULTS[first:]):
        terms |= fault
    found = validate(cart(line("spa")), flat(**terms), CODE, **FACTS)
    assert (found.valid, found.discount) == (False, 0)
    assert found.invalid_reason == FAULTS[first][0]
    assert len(found.reasons) >= len(FAULTS) - first - 1


def test_order_of_reasons_is_the_enums():
    assert first_invalid([Reason(ReasonCode.NO_EFFECT)]) is InvalidReason.NOT_ELIGIBLE
    assert first_invalid([]) is None
    both = [Reason(ReasonCode.OPTED_OUT), Reason(ReasonCode.SEGMENT)]
    assert first_invalid(both) is InvalidReason.SEGMENT_NOT_ELIGIBLE
    assert first_invalid([Reason(ReasonCode.OPTED_OUT)]) is InvalidReason.OPTED_OUT


def test_a_fault_of_the_code_is_told():
    used = EnteredCode(code="X", offer="flat", fault=Reason(ReasonCode.CODE_USED))
    assert validate(cart(line()), flat(), used, **FACTS).invalid_reason == "max_uses_reached"


def test_a_good_code_says_what_it_gives():
    assert validate(cart(line()), flat(), CODE, **FACTS).discount == 10_00


@pytest.mark.parametrize(
    ("services", "reason"),
    [({"spa": ""}, "service_not_eligible"), ({"cut": "", "spa": ""}, None), ({}, None)],
)
def test_with_an_amount_only_one_eligible_service_will_do(services, reason):
    terms = share("flat", 10, selection=CUT, thresholds=Thresholds(min_amount=500_00))
    found = validate_amount(cart(), 500_00, services, terms, CODE, **FACTS)
    assert found.invalid_reason == reason
    assert found.discount == (0 if reason else 50_00)
    short = validate_amount(cart(), 499_99, services, terms, CODE, **FACTS)
    assert short.invalid_reason == "min_order_not_met"


def test_with_an_amount_only_a_free_service_is_valid_and_gives_nothing():
    terms = flat(kind=Kind.FREE_SERVICE, amount=0, selection=CUT)
    found = validate_amount(cart(), 500_00, {}, terms, CODE, **FACTS)
    assert (found.valid, found.discount) == (True, 0)


def test_with_an_amount_only_units_are_not_judged():
    units = Thresholds(min_quantity=3, requires=CUT)
    terms = share("flat", 10, thresholds=units, skip_addons=True)
    assert validate_amount(cart(), 500_00, {}, terms, CODE, **FACTS).discount == 50_00
    assert validate(cart(line("spa")), terms, CODE, **FACTS).invalid_reason == "min_order_not_met"
