"""What is wrong with a cart; the engine expects nothing to be."""

from collections.abc import Iterator

from marketing.coupons.pricing.bill import Cart, CartLine
from marketing.coupons.pricing.faults import (
    HIGHEST,
    Bounds,
    Fault,
    FaultCode,
    Unit,
    amount_outside,
    count_outside,
    share_outside,
)
from marketing.coupons.pricing.paise import WHOLE

MOST_LINES = 500
# Units are looked at one by one where an offer counts them.
MOST_UNITS = 5_000
MOST_CODES = 20


def cart_faults(cart: Cart) -> list[Fault]:
    """All that keeps `cart` from being priced; empty when nothing does. A cart may be empty."""
    return list(_faults(cart))


def _faults(cart: Cart) -> Iterator[Fault]:
    if len(cart.lines) > MOST_LINES:
        yield Fault("lines", FaultCode.TOO_MANY)
        return
    if len(cart.codes) > MOST_CODES:
        yield Fault("codes", FaultCode.TOO_MANY)
    if len({line.number for line in cart.lines}) < len(cart.lines):
        yield Fault("lines", FaultCode.REPEATED)
    if cart.at.tzinfo is None:
        yield Fault("at", FaultCode.REQUIRED)
    for place, line in enumerate(cart.lines):
        yield from _line_faults(line, f"lines.{place}.")
    if sum(line.quantity for line in cart.lines) > MOST_UNITS:
        yield Fault("lines", FaultCode.TOO_MANY_UNITS)
    if sum(line.list_amount for line in cart.lines) > HIGHEST:
        yield Fault("lines", FaultCode.TOO_HIGH, Bounds(Unit.PAISE, 0, HIGHEST))
    if cart.points is not None and not 0 <= cart.points.amount <= HIGHEST:
        yield amount_outside("points.amount")


def _line_faults(line: CartLine, path: str) -> Iterator[Fault]:
    if line.number < 1:
        yield count_outside(f"{path}number")
    if not line.service:
        yield Fault(f"{path}serviceId", FaultCode.REQUIRED)
    if not 1 <= line.quantity <= MOST_UNITS:
        yield count_outside(f"{path}quantity", most=MOST_UNITS)
    if not 0 <= line.unit_price <= HIGHEST:
        yield amount_outside(f"{path}unitPrice")
    if not 0 <= line.manual_discount <= max(0, line.list_amount):
        yield amount_outside(f"{path}manualDiscount", most=max(0, line.list_amount))
    if not 0 <= line.floor_price <= HIGHEST:
        yield amount_outside(f"{path}floorPrice")
    if line.tax_rate_bp is not None and not 0 <= line.tax_rate_bp <= WHOLE:
        yield share_outside(f"{path}taxRate", least=0)
