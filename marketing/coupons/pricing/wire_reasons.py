"""Reasons as the HTTP API spells them: camelCase, rupees as decimal text."""

from functools import lru_cache
from typing import Any

from marketing.coupons.pricing.reasons import Detail, Reason, ReasonCode
from marketing.coupons.pricing.wire import rupees

# Whose numbers are paise; all others count units, uses or visits.
_MONEY = {
    ReasonCode.BUDGET_LEFT,
    ReasonCode.MIN_AMOUNT_SHORT,
    ReasonCode.MAX_AMOUNT_OVER,
}


def reason_on_wire(why: Reason) -> dict[str, Any]:
    """`{"code": "min_amount_short", "need": "500.00", "have": "420.00", "shortBy": "80.00"}`."""
    told: dict[str, Any] = {"code": why.code.value}
    is_money = why.code in _MONEY
    for name, value in why.details:
        if value != 0 or name != "need":
            told[_camel(name)] = _plain(value, is_money)
    return told


def _plain(value: Detail, is_money: bool) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return rupees(value) if is_money and isinstance(value, int) else value


@lru_cache(maxsize=256)
def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)
