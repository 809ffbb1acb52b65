"""Offers as they are answered: money with two places, however it was written."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

MOMENT = serializers.DateTimeField()
MONEY = frozenset(
    {
        *("discountValue", "minOrderAmount", "maxOrderAmount", "maxDiscountAmount"),
        *("maxDiscountPerLine", "floorPrice", "budget", "buyAmount", "from", "amount", "percent"),
    }
)


def as_shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with amounts and percentages as decimal text of two places, moments as text."""
    return {name: _shown(name, value) for name, value in body.items()}


def _shown(name: str, value: Any) -> Any:
    if name == "tiers" and value:
        return [as_shown(tier) for tier in value]
    if name == "buyGet" and value:
        return as_shown(value)
    if isinstance(value, dt.datetime):
        return MOMENT.to_representation(value)
    if name in MONEY and value is not None:
        return str(Decimal(str(value)).quantize(Decimal("0.01")))
    return value
