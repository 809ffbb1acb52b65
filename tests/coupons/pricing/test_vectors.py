"""Public scenarios of other engines, as data."""

import pytest

from marketing.coupons.pricing.answer import Verdict
from marketing.coupons.pricing.paise import apportion
from marketing.coupons.pricing.wire import paise
from tests.coupons.pricing.vectors import name_of, price, rows

ROWS = rows()


def rupees(amount):
    return f"{amount // 100}.{amount % 100:02d}"


def units_of(quoted, row):
    """What each unit of the bill costs in the end, the cheapest first."""
    units = {}
    for number, line in enumerate(row["lines"], start=1):
        units[number] = [paise(line["unitPrice"], "")] * line.get("quantity", 1)
    for applied in quoted.applied:
        for share in applied.shares:
            pairs = zip(units[share.line], share.units, strict=True)
            units[share.line] = [net - part for net, part in pairs]
    return sorted(net for nets in units.values() for net in nets)


def seen(quoted, row):
    """All that a row may expect, as it came out."""
    return {
        "discounts": [rupees(line.discount) for line in quoted.lines],
        "units": [rupees(net) for net in units_of(quoted, row)],
        "totals": [rupees(line.total) for line in quoted.lines],
        "discount": rupees(quoted.discount),
        "payable": rupees(quoted.payable),
        "tax": rupees(quoted.tax),
        "taxable": rupees(sum(line.taxable for line in quoted.lines)),
        "applied": sorted(applied.offer for applied in quoted.applied),
        "refused": {
            decision.offer: decision.reasons[0].code.value
            for decision in quoted.decisions
            if decision.verdict is not Verdict.APPLIED
        },
        "refused_codes": {
            code.code: code.reasons[0].code.value
            for code in quoted.codes
            if code.verdict is not Verdict.APPLIED
        },
    }


@pytest.mark.parametrize("row", [row for row in ROWS if "rule" not in row], ids=name_of)
def test_bill_comes_out_as_the_row_says(row):
    found = seen(price(row), row)
    expected = dict(row["expect"])
    if "applied" in expected:
        expected["applied"] = sorted(expected["applied"])
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("row", [row for row in ROWS if "rule" in row], ids=name_of)
def test_amount_is_apportioned_as_the_row_says(row):
    weights = [paise(weight, "") for weight in row["rule"]["weights"]]
    parts = apportion(paise(row["rule"]["amount"], ""), weights)
    assert [rupees(part) for part in parts] == row["expect"]["discounts"]
