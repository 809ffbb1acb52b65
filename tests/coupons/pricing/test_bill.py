"""Carts that cannot be priced, and large ones that can."""

import datetime as dt

import pytest

from marketing.coupons.pricing.bill import PointsUse
from marketing.coupons.pricing.bill_check import MOST_LINES, MOST_UNITS, cart_faults
from marketing.coupons.pricing.faults import Fault, FaultCode
from tests.coupons.pricing.bills import applied, cart, flat, line, quoted, share, typed


@pytest.mark.parametrize(
    ("bill", "field", "code"),
    [
        (cart(*[line()] * (MOST_LINES + 1)), "lines", FaultCode.TOO_MANY),
        (cart(line(), line(number=1)), "lines", FaultCode.REPEATED),
        (cart(line(number=0)), "lines.0.number", FaultCode.OUT_OF_RANGE),
        (cart(line(rupees=-1)), "lines.0.unitPrice", FaultCode.OUT_OF_RANGE),
        (cart(line(rupees=10**12)), "lines.0.unitPrice", FaultCode.OUT_OF_RANGE),
        (cart(line(quantity=0)), "lines.0.quantity", FaultCode.OUT_OF_RANGE),
        (cart(line(quantity=-1)), "lines.0.quantity", FaultCode.OUT_OF_RANGE),
        (cart(line(""), line()), "lines.0.serviceId", FaultCode.REQUIRED),
        (cart(line(manual_discount=100_01)), "lines.0.manualDiscount", FaultCode.OUT_OF_RANGE),
        (cart(line(tax_rate_bp=-1)), "lines.0.taxRate", FaultCode.OUT_OF_RANGE),
        (cart(line(floor_price=-1)), "lines.0.floorPrice", FaultCode.OUT_OF_RANGE),
        (cart(*[line(quantity=MOST_UNITS)] * 2), "lines", FaultCode.TOO_MANY_UNITS),
        (cart(line(rupees=10**7), line(rupees=0.01)), "lines", FaultCode.TOO_HIGH),
        (cart(at=dt.datetime(2026, 3, 4)), "at", FaultCode.REQUIRED),
        (cart(codes=typed(*"abcdefghijklmnopqrstu")), "codes", FaultCode.TOO_MANY),
        (cart(points=PointsUse(amount=-1)), "points.amount", FaultCode.OUT_OF_RANGE),
    ],
)
def test_what_cannot_be_priced_is_told_at_its_field(bill, field, code):
    assert Fault(field, code) in cart_faults(bill)


def test_a_sound_cart_has_no_faults():
    assert cart_faults(cart(line(quantity=3, manual_discount=300_00, tax_rate_bp=0))) == []
    assert cart_faults(cart(line(rupees=10**7 / 4, quantity=4))) == []
    assert cart_faults(cart()) == []


def test_a_floor_above_the_price_leaves_the_price():
    answer = quoted(cart(line(rupees=10, floor_price=20_00)), share(percent=50))
    assert (answer.payable, applied(answer)) == (10_00, [])


def test_the_longest_bill_adds_up():
    bill = cart(*[line(f"s{n}", n % 7 * 33.33, tax_rate_bp=1800) for n in range(MOST_LINES)])
    answer = quoted(bill, flat(rupees=77.77))
    assert sum(one.discount for one in answer.lines) == 77_77
    assert answer.payable == answer.listed - 77_77
