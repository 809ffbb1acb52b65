"""Ready beginnings of offers, and which fields each kind has."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketing.coupons.models.offers import OfferKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the first page offers: words, and what the form begins with."""

    title: str | Promise
    example: str | Promise
    icon: str
    kind: str
    initial: Mapping[str, Any] = field(default_factory=dict)
    # It is of one day: of today until this hour, or once that is past, of tomorrow.
    until: dt.time | None = None

    def values(self, now: dt.datetime) -> dict[str, Any]:
        """What the form begins with at this time of the chain's clock."""
        values = {"kind": self.kind, **self.initial}
        if self.until is not None:
            day = now.date() + dt.timedelta(days=now.time() >= self.until)
            values |= {"valid_from": day, "valid_until": day, "until_time": self.until}
        return values


STARTS: dict[str, Start] = {
    "percentage": Start(
        title=_("Percentage"),
        # xgettext:no-python-format
        example=_("20% off hair services"),
        icon="tag",
        kind=OfferKind.PERCENTAGE,
        initial={"value": 10},
    ),
    "flat": Start(
        title=_("Amount off"),
        example=_("₹200 off from ₹1,000 on"),
        icon="currency-rupee",
        kind=OfferKind.FLAT,
        initial={"value": 200, "min_amount": 1000},
    ),
    "free_service": Start(
        title=_("Free service"),
        example=_("Head massage free with any colour"),
        icon="gift",
        kind=OfferKind.FREE_SERVICE,
    ),
    "buy_x_get_y": Start(
        title=_("Buy some, get some"),
        example=_("Buy 2 facials, get the third free"),
        icon="shopping-cart",
        kind=OfferKind.BUY_X_GET_Y,
        initial={"buy_quantity": 2, "get_quantity": 1, "get_percent": 100},
    ),
    "bundle": Start(
        title=_("Bundle"),
        example=_("Haircut and spa together for ₹999"),
        icon="package",
        kind=OfferKind.BUNDLE,
    ),
    "fixed_price": Start(
        title=_("New price"),
        example=_("Every manicure for ₹299"),
        icon="scissors",
        kind=OfferKind.FIXED_PRICE,
    ),
    "spend_tiers": Start(
        title=_("Spend tiers"),
        example=_("₹100 off from ₹1,000, ₹300 off from ₹2,500"),
        icon="chart-bar",
        kind=OfferKind.SPEND_TIERS,
        initial={
            "tier_unit": "amount",
            "tier_0_from": 1000,
            "tier_0_give": 100,
            "tier_1_from": 2500,
            "tier_1_give": 300,
        },
    ),
    "flash": Start(
        title=_("Flash sale"),
        # xgettext:no-python-format
        example=_("15% off for everybody, today until 8 pm"),
        icon="bolt",
        kind=OfferKind.PERCENTAGE,
        initial={"value": 15, "opening": "automatic"},
        until=dt.time(20),
    ),
}
# What each kind asks for besides what all have; an empty scope means that there is no choice.
FIELDS: dict[str, tuple[str, ...]] = {
    OfferKind.PERCENTAGE: ("value", "scope"),
    OfferKind.FLAT: ("value", "scope"),
    OfferKind.FIXED_PRICE: ("value",),
    OfferKind.FREE_SERVICE: ("free_units",),
    OfferKind.BUY_X_GET_Y: (
        *("buy_quantity", "buy_amount", "get_quantity", "get_percent"),
        *("get_services", "get_categories", "get_any"),
        *("get_excluded_services", "get_excluded_categories", "pick", "max_groups"),
    ),
    OfferKind.BUNDLE: ("value", "max_groups"),
    OfferKind.SPEND_TIERS: ("tier_unit", "scope"),
}
VALUE_LABELS: dict[str, str | Promise] = {
    OfferKind.PERCENTAGE: _("Per cent off"),
    OfferKind.FLAT: _("Rupees off"),
    OfferKind.FIXED_PRICE: _("New price of each, ₹"),
    OfferKind.BUNDLE: _("Price of all together, ₹"),
}
