"""The bill while offers are applied to it, one after the other."""

import datetime as dt
from zoneinfo import ZoneInfo

from marketing.coupons.pricing.bill import Cart, CartLine
from marketing.coupons.pricing.paise import spread
from marketing.coupons.pricing.terms import GroupBy, OfferTerms, Selection


class Bill:
    """A cart laid out for reckoning: its lines by number, sets of lines as bit masks."""

    __slots__ = (
        "all_mask",
        "by_category",
        "by_service",
        "cart",
        "discounted_mask",
        "has_floors",
        "indexes",
        "lines",
        "list_amounts",
        "list_total",
        "local",
        "members_of",
        "plain_mask",
        "start",
        "zone",
    )

    def __init__(self, cart: Cart) -> None:
        self.cart = cart
        self.zone = ZoneInfo(cart.timezone)
        self.local = cart.at.astimezone(self.zone).replace(tzinfo=None)
        self.lines: tuple[CartLine, ...] = tuple(sorted(cart.lines, key=lambda line: line.number))
        self.indexes = tuple(range(len(self.lines)))
        self.list_amounts = [line.list_amount for line in self.lines]
        self.list_total = sum(self.list_amounts)
        self.all_mask = (1 << len(self.lines)) - 1
        self.plain_mask = 0  # lines that are no add-ons
        self.discounted_mask = 0  # lines with a discount given by hand
        self.members_of: dict[int, tuple[int, ...]] = {}
        self.by_service: dict[str, int] = {}
        self.by_category: dict[str, int] = {}
        for i, line in enumerate(self.lines):
            bit = 1 << i
            self.by_service[line.service] = self.by_service.get(line.service, 0) | bit
            self.by_category[line.category] = self.by_category.get(line.category, 0) | bit
            self.plain_mask |= 0 if line.is_addon else bit
            self.discounted_mask |= bit if line.manual_discount else 0
        self.has_floors = any(line.floor_price for line in self.lines)
        self.start = _opening_state(self.lines)

    def of(self, selection: Selection) -> int:
        """Lines of the selection."""
        if selection.services or selection.categories:
            mask = _any(self.by_service, selection.services) | _any(
                self.by_category, selection.categories
            )
        else:
            mask = self.all_mask
        if selection.excluded_services:
            mask &= ~_any(self.by_service, selection.excluded_services)
        if selection.excluded_categories:
            mask &= ~_any(self.by_category, selection.excluded_categories)
        return mask

    def members(self, mask: int) -> tuple[int, ...]:
        """The lines of `mask`, by index."""
        found = self.members_of.get(mask)
        if found is None:
            found = tuple([i for i in self.indexes if mask >> i & 1])
            self.members_of[mask] = found
        return found

    def quantity(self, mask: int) -> int:
        return sum([self.lines[i].quantity for i in self.members(mask)])

    def best_day(self, terms: OfferTerms, mask: int) -> tuple[int, int]:
        """The lines that count together with enough units, and the most units counted together.

        Under `GroupBy.PERFORMED_ON` the units of each day are counted by themselves.
        """
        least = terms.thresholds.min_quantity
        if terms.group_by is GroupBy.BILL:
            have = self.quantity(mask)
            return (mask if have >= least else 0), have
        kept = most = 0
        for day in self.days(mask):
            have = self.quantity(day)
            most = max(most, have)
            kept |= day if have >= least else 0
        return kept, most

    def days(self, mask: int) -> list[int]:
        """The lines of `mask`, a mask for each day on which they are performed."""
        by_day: dict[dt.date | None, int] = {}
        for i in self.members(mask):
            day = self.lines[i].performed_on
            by_day[day] = by_day.get(day, 0) | 1 << i
        return list(by_day.values())


class State:
    """What each line and unit still costs after some offers. Lists inside are never changed.

    `units[i]` are the unit nets of a line of several units, None where the line is one unit.
    `used[i]` marks units that counted in a group. `touched` are lines that have an offer,
    `closed` those of them whose offer lets no other in. `saved` is paise so far.
    """

    __slots__ = ("closed", "net", "saved", "touched", "units", "used")

    def __init__(
        self,
        net: list[int],
        units: list[list[int] | None],
        used: list[int] | None = None,
        touched: int = 0,
        closed: int = 0,
        saved: int = 0,
    ) -> None:
        self.net = net
        self.units = units
        self.used = used
        self.touched = touched
        self.closed = closed
        self.saved = saved

    def unit_nets(self, i: int) -> list[int]:
        return self.units[i] or [self.net[i]]


def _opening_state(lines: tuple[CartLine, ...]) -> State:
    net: list[int] = []
    units: list[list[int] | None] = []
    for line in lines:
        left = line.list_amount - line.manual_discount
        net.append(left)
        prices = [line.unit_price] * line.quantity
        if line.quantity == 1:
            units.append(None)
        elif line.manual_discount:
            off = spread(line.manual_discount, prices, prices)
            units.append([price - part for price, part in zip(prices, off, strict=True)])
        else:
            units.append(prices)
    return State(net, units)


def _any(masks: dict[str, int], ids: frozenset[str]) -> int:
    found = 0
    if ids:
        for key in ids.intersection(masks):
            found |= masks[key]
    return found
