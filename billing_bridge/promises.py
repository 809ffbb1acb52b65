"""What a bill was promised when it was reserved, held against what the till then billed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing_bridge.bills import paise, rupees
from billing_bridge.warnings import warning
from marketing.coupons.pricing.answer import PricedLine
from marketing.coupons.pricing.bill import Cart, CartLine
from marketing.coupons.selectors.replay import KeptBill


def is_same_sale(kept: KeptBill, cart: Cart, discounts: Mapping[int, Decimal]) -> bool:
    """Whether these lines are those that were reserved: services, units, and their price.

    A till may send a price with the discount off it: then what the line comes to is the promise.
    """
    reserved = {line.number: line for line in kept.cart.lines}
    promised = {line.number: line.listed - _promised_off(line) for line in kept.quote.lines}
    if {line.number for line in cart.lines} != reserved.keys():
        return False
    return all(
        (line.service, line.quantity)
        == (reserved[line.number].service, reserved[line.number].quantity)
        and (
            line.unit_price == reserved[line.number].unit_price
            or line.list_amount - _off(line, discounts) == promised[line.number]
        )
        for line in cart.lines
    )


def differing_discounts(
    kept: KeptBill, cart: Cart, discounts: Mapping[int, Decimal]
) -> list[dict[str, Any]]:
    """Warns where the till took off something else than was promised."""
    promised = {line.number: _promised_off(line) for line in kept.quote.lines}
    differing = {
        str(line.number): {
            "promised": rupees(promised[line.number]),
            "billed": rupees(_off(line, discounts)),
        }
        for line in cart.lines
        if _off(line, discounts) != promised[line.number]
    }
    if not differing:
        return []
    message = _("Another discount was promised than was billed.")
    return [warning("discount_differs", message, {"lines": differing})]


def _promised_off(line: PricedLine) -> int:
    return line.manual_discount + line.discount + line.points


def _off(line: CartLine, discounts: Mapping[int, Decimal]) -> int:
    """Paise off the line, by hand and by what was promised."""
    return line.manual_discount + paise(discounts[line.number])
