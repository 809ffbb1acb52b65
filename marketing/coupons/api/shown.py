"""Offers as they are answered: money with two places, however it was written."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

MONEY = frozenset(
    {
        *("discountValue", "minOrderAmount", "maxOrderAmount", "maxDiscountAmount"),
        *("maxDiscountPerLine", "floorPrice", "budget", "buyAmount", "from", "amount", "percent"),
    }
)


def in_rupees(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with its amounts and percentages as decimal text of two places."""
    return {name: _shown(name, value) for name, value in body.items()}


def _shown(name: str, value: Any) -> Any:
    if name == "tiers" and value:
        return [in_rupees(tier) for tier in value]
    if name == "buyGet" and value:
        return in_rupees(value)
    if name in MONEY and value is not None:
        return str(Decimal(str(value)).quantize(Decimal("0.01")))
    return value
