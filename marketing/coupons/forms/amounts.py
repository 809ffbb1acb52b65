"""What is wrong with an offer's amounts, said so that one knows what may be typed instead."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from marketing.coupons.models.offers import OfferKind
from marketing.coupons.pricing.faults import HIGHEST
from marketing.coupons.wording.amounts import rupees

IN_RUPEES = (
    *("min_amount", "max_amount", "max_discount", "max_line", "floor_price"),
    *("value", "buy_amount"),
)
ABOVE_ZERO = frozenset(("budget", "max_discount", "max_line"))


def amount_faults(
    kind: str, data: Mapping[str, Any], shown: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Fields and faults of `data` (rupees, percent) among the fields that are `shown`."""
    if "value" in shown:
        value = data.get("value")
        if value is None:
            yield "value", _("Say how much: without it there is no such offer.")
        elif kind == OfferKind.PERCENTAGE and not 0 < value <= 100:
            yield "value", _("From 0.01 to 100 per cent.")
        elif kind == OfferKind.FLAT and not value:
            yield "value", _("More than ₹0.")
    if "get_percent" in shown and data.get("get_percent") is None:
        # Left to its default it would be all of it.
        yield "get_percent", _("Say how much: without it there is no such offer.")
    if "buy_quantity" in shown and data.get("buy_quantity") is None and not data.get("buy_amount"):
        yield "buy_quantity", _("Say how many she buys, or for how much; 0 gives without buying.")
    for name in IN_RUPEES:
        amount = data.get(name)
        if amount is not None and amount * 100 > HIGHEST:
            yield name, _("At most %(amount)s.") % {"amount": rupees(HIGHEST)}
        if amount is not None and not amount and name in ABOVE_ZERO:
            yield name, _("More than ₹0.")
    least, most = data.get("min_amount"), data.get("max_amount")
    if least is not None and most is not None and most < least:
        yield "max_amount", _("This is less than the least.")
