"""What the counter hands in: a bill that is not closed yet."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from marketing.coupons.pricing.paise import WHOLE
from marketing.coupons.pricing.reasons import Reason


class CodesPolicy(StrEnum):
    """What one code that cannot be used does to the others typed with it."""

    ALL = "all"
    PARTIAL = "partial"


class PointsAs(StrEnum):
    """Points as a discount lower the taxable value; as tender they only pay (offers.md 5.6)."""

    TENDER = "tender"
    DISCOUNT = "discount"


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """One line of the bill.

    `number` is its place on the bill, unique and above 0: odd paise go to the lower number.
    `unit_price` is in paise, with tax in it or not as `Cart.prices_include_tax` says.
    `manual_discount` (paise, of the whole line) was given by hand before any offer.
    `floor_price` (paise a unit) is what a unit is never sold below, whatever the offers.
    `tax_rate_bp` is the GST rate (18 % = 1800), None while it is not known: then no tax is
    reckoned. `performed_on` is the day the service is done, for offers that count by day.
    """

    number: int
    service: str
    unit_price: int
    category: str = ""
    quantity: int = 1
    manual_discount: int = 0
    floor_price: int = 0
    tax_rate_bp: int | None = None
    performed_on: dt.date | None = None
    is_addon: bool = False

    @property
    def list_amount(self) -> int:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredCode:
    """A code as it was typed, and what the code table knows of it.

    `offer` is the offer it opens. Where the code itself is at fault (unknown, check symbol,
    used up, revoked, expired, somebody else's) `fault` says so; `offer` may then be empty.
    """

    code: str
    offer: str = ""
    fault: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsUse:
    """Points she wants to spend: `amount` is their worth in paise, already within her balance.

    Only whole points are used, of `point` paise each, and none below `least` paise together. They
    pay at most `share_bp` of the bill.
    """

    amount: int
    used_as: PointsAs = PointsAs.TENDER
    point: int = 1
    least: int = 0
    share_bp: int = WHOLE

    def of(self, bill: int, room: int | None = None) -> int:
        """What of the points' worth is used where so much is to pay, and `room` is for them."""
        most = min(self.amount, bill * self.share_bp // WHOLE, bill if room is None else room)
        whole = most - most % self.point
        return 0 if whole < self.least else whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """The bill as it stands.

    `at` is the bill's own time (aware; the caller bounds it to ±15 minutes of the server's,
    offers.md 5.7) and `timezone` the branch's IANA name: dates, hours and weekdays of offers
    are judged on the branch's wall clock. Lines in any order; numbers decide.
    """

    branch: str
    at: dt.datetime
    timezone: str
    lines: tuple[CartLine, ...]
    codes: tuple[EnteredCode, ...] = ()
    codes_policy: CodesPolicy = CodesPolicy.PARTIAL
    prices_include_tax: bool = True
    points: PointsUse | None = None
