"""What is wrong with a cart; the engine expects nothing to be."""

from collections.abc import Iterator

from marketing.coupons.pricing.bill import Cart, CartLine
from marketing.coupons.pricing.faults import HIGHEST, Fault, FaultCode
from marketing.coupons.pricing.paise import WHOLE

MOST_LINES = 500
# Units are looked at one by one where an offer counts them.
MOST_UNITS = 5_000
MOST_CODES = 20


def cart_faults(cart: Cart) -> list[Fault]:
    """All that keeps `cart` from being priced; empty when nothing does. A cart may be empty."""
    return [Fault(field, code) for field, code in _faults(cart)]


def _faults(cart: Cart) -> Iterator[tuple[str, FaultCode]]:
    if len(cart.lines) > MOST_LINES:
        yield "lines", FaultCode.TOO_MANY
        return
    if len(cart.codes) > MOST_CODES:
        yield "codes", FaultCode.TOO_MANY
    if len({line.number for line in cart.lines}) < len(cart.lines):
        yield "lines", FaultCode.REPEATED
    if cart.at.tzinfo is None:
        yield "at", FaultCode.REQUIRED
    for place, line in enumerate(cart.lines):
        for field, code in _line_faults(line):
            yield f"lines.{place}.{field}", code
    if sum(line.quantity for line in cart.lines) > MOST_UNITS:
        yield "lines", FaultCode.TOO_MANY_UNITS
    if cart.points is not None and not 0 <= cart.points.amount <= HIGHEST:
        yield "points.amount", FaultCode.OUT_OF_RANGE


def _line_faults(line: CartLine) -> Iterator[tuple[str, FaultCode]]:
    if line.number < 1:
        yield "number", FaultCode.OUT_OF_RANGE
    if not line.service:
        yield "serviceId", FaultCode.REQUIRED
    if not 1 <= line.quantity <= MOST_UNITS:
        yield "quantity", FaultCode.OUT_OF_RANGE
    if not 0 <= line.unit_price <= HIGHEST:
        yield "unitPrice", FaultCode.OUT_OF_RANGE
    if not 0 <= line.manual_discount <= max(0, line.list_amount):
        yield "manualDiscount", FaultCode.OUT_OF_RANGE
    if not 0 <= line.floor_price <= HIGHEST:
        yield "floorPrice", FaultCode.OUT_OF_RANGE
    if line.tax_rate_bp is not None and not 0 <= line.tax_rate_bp <= WHOLE:
        yield "taxRate", FaultCode.OUT_OF_RANGE
