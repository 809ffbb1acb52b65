"""Numbers and sums of money."""

import math
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from marketing.segments.value_types.base import ORDERED, ValueType

MAX_NUMBER = 10**12


class Number(ValueType):
    """A number; `whole` for counts, where JSON's 30.0 is taken as 30."""

    name = "number"
    operators: tuple[str, ...] = ORDERED

    def __init__(self, *, whole: bool = True) -> None:
        self.whole = whole

    def clean(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(_("Enter a number."))
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(_("Enter a number."))
        if abs(value) > MAX_NUMBER:
            raise ValueError(_("This number is too large."))
        if not self.whole:
            return value
        if value != int(value):
            raise ValueError(_("Enter a whole number."))
        return int(value)


class Money(ValueType):
    """An amount in the chain's currency: a JSON number or a decimal string, two places."""

    name = "money"
    operators = ORDERED

    def clean(self, value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(_("Enter an amount."))
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            raise ValueError(_("Enter an amount.")) from None
        if not amount.is_finite():
            raise ValueError(_("Enter an amount."))
        if abs(amount) > MAX_NUMBER:
            raise ValueError(_("This amount is too large."))
        if amount != round(amount, 2):
            raise ValueError(_("An amount has at most two decimal places."))
        return round(amount, 2)
