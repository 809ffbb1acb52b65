"""Offers that look at units together: buy X get Y, bundles.

Only units that still cost something count, and each in one group of one offer. Dearest and
cheapest are by what units still cost; of equal units the one of the lower service id, line
and unit is the cheaper.
"""

from collections.abc import Iterable

from marketing.coupons.pricing.paise import share_of, spread
from marketing.coupons.pricing.running import Bill, State
from marketing.coupons.pricing.terms import Bundle, BundlePart, BuyGet, GroupBy, OfferTerms, Pick

Unit = tuple[int, str, int, int]  # net, service, line index, unit index
Cuts = dict[int, list[int]]


class Grouping:
    """Groups formed by one offer: what each unit loses, and which units it used."""

    __slots__ = ("bill", "cuts", "state", "used")

    def __init__(self, bill: Bill, state: State) -> None:
        self.bill = bill
        self.state = state
        self.cuts: Cuts = {}
        self.used = state.used.copy() if state.used else [0] * len(bill.lines)

    def free_units(self, mask: int) -> list[Unit]:
        """Units of the lines of `mask` that are in no group yet, the cheapest first."""
        lines, state, used = self.bill.lines, self.state, self.used
        return sorted(
            [
                (net, lines[i].service, i, u)
                for i in self.bill.members(mask)
                for u, net in enumerate(state.units[i] or (state.net[i],))
                if net > 0 and not used[i] >> u & 1
            ]
        )

    def use(self, units: Iterable[Unit]) -> None:
        for _, _, i, u in units:
            self.used[i] |= 1 << u

    def cut(self, unit: Unit, amount: int) -> None:
        _, _, i, u = unit
        self.cuts.setdefault(i, [0] * self.bill.lines[i].quantity)[u] += amount


def grouped(terms: OfferTerms, bill: Bill, state: State, bought: int, got: int) -> Grouping:
    """The groups that can be formed of the lines `bought`, reducing units of the lines `got`."""
    groups = Grouping(bill, state)
    days = [bought | got] if terms.group_by is GroupBy.BILL else bill.days(bought | got)
    for day in days:
        if terms.buy_get is not None:
            _buy_get(terms.buy_get, groups, bought & day, got & day)
        elif terms.bundle is not None:
            _bundle(terms.bundle, groups, got & day)
    return groups


def shortage(terms: OfferTerms, bill: Bill, bought: int, got: int) -> tuple[int, int, int]:
    """Units needed for the first group, units there are, units of `got` among the lacking.

    Of the day that comes nearest, if groups are by day; nothing lacks where a group can be
    formed. Prices are left out of it: an amount to buy counts as reached by any one unit.
    """
    if terms.buy_get is None:
        return _parts_lacking(terms, bill, got)
    buy = terms.buy_get.buy_quantity or (1 if terms.buy_get.buy_amount else 0)
    get = terms.buy_get.get_quantity
    if bought == got and terms.group_by is GroupBy.BILL:
        have = sum([bill.lines[i].quantity for i in bill.members(got) if bill.start.net[i] > 0])
        return buy + get, min(have, buy + get), 0
    groups = Grouping(bill, bill.start)
    days = [bought | got] if terms.group_by is GroupBy.BILL else bill.days(bought | got)
    best: tuple[int, int, int] | None = None
    for day in days:
        buyable, gettable = (
            {unit[2:] for unit in groups.free_units(mask & day)} for mask in (bought, got)
        )
        of_get = max(0, get - len(gettable))
        lacking = max(max(0, buy - len(buyable)) + of_get, buy + get - len(buyable | gettable))
        if best is None or lacking < best[0] - best[1]:
            best = (buy + get, buy + get - lacking, of_get)
    return best or (buy + get, 0, get)


def amount_to_buy(terms: OfferTerms, bill: Bill, bought: int, got: int) -> tuple[int, int]:
    """Paise to be bought for the first group, and paise there are to buy.

    Of the day that has most, if groups are by day. What must be left to be got is not bought.
    """
    deal = terms.buy_get
    if deal is None or not deal.buy_amount:
        return 0, 0
    groups = Grouping(bill, bill.start)
    days = [bought | got] if terms.group_by is GroupBy.BILL else bill.days(bought | got)
    most = 0
    for day in days:
        gettable = set(groups.free_units(got & day))
        either = []
        have = 0
        for unit in groups.free_units(bought & day):
            if unit in gettable:
                either.append(unit[0])
            else:
                have += unit[0]
        spare = max(0, len(gettable) - deal.get_quantity)
        most = max(most, have + sum(either[-spare:] if spare else ()))
    return deal.buy_amount, most


def _buy_get(deal: BuyGet, groups: Grouping, bought: int, got: int) -> None:
    buyable = groups.free_units(bought)
    gettable = buyable if got == bought else groups.free_units(got)
    if deal.buy_amount:
        _buy_amount_get(deal, groups, buyable, gettable)
        return
    if gettable is buyable:
        _get_of_the_same(deal, groups, buyable)
        return
    both = set(buyable) & set(gettable)
    only_bought = len(buyable) - len(both)
    buy, get = deal.buy_quantity, deal.get_quantity
    count = min(
        len(gettable) // get,
        (only_bought + len(gettable)) // (buy + get),
        len(buyable) // buy if buy else len(gettable),
    )
    if deal.max_groups is not None:
        count = min(count, deal.max_groups)
    # Units that could be either are left for buying as far as buying needs them.
    spare = len(buyable) - count * buy
    reduced: list[Unit] = []
    for unit in gettable if deal.pick is Pick.CHEAPEST else reversed(gettable):
        if len(reduced) == count * get:
            break
        if unit in both:
            if not spare:
                continue
            spare -= 1
        reduced.append(unit)
    groups.use(reduced)
    taken = set(reduced)
    paid = [unit for unit in reversed(buyable) if unit not in taken]
    groups.use(paid[: count * buy])
    for unit in reduced:
        groups.cut(unit, share_of(unit[0], deal.rate_bp))


def _get_of_the_same(deal: BuyGet, groups: Grouping, units: list[Unit]) -> None:
    """Where all units may be bought and got, the dearest of those not got are bought."""
    count = len(units) // (deal.buy_quantity + deal.get_quantity)
    if deal.max_groups is not None:
        count = min(count, deal.max_groups)
    got, bought = count * deal.get_quantity, count * deal.buy_quantity
    if deal.pick is Pick.CHEAPEST:
        reduced, paid = units[:got], units[len(units) - bought :]
    else:
        dearest = units[::-1]
        reduced, paid = dearest[:got], dearest[got : got + bought]
    groups.use(reduced)
    groups.use(paid)
    for unit in reduced:
        groups.cut(unit, share_of(unit[0], deal.rate_bp))


def _buy_amount_get(
    deal: BuyGet, groups: Grouping, buyable: list[Unit], gettable: list[Unit]
) -> None:
    """Dearest units are paid until the amount is reached; then units of those left are cut."""
    both = set(buyable) & set(gettable)
    paid_from = [unit for unit in buyable if unit in both]
    paid_from += [unit for unit in buyable if unit not in both]
    formed = 0
    while deal.max_groups is None or formed < deal.max_groups:
        paid: list[Unit] = []
        worth = 0
        while paid_from and worth < deal.buy_amount:
            paid.append(paid_from.pop())
            worth += paid[-1][0]
        left = [unit for unit in gettable if unit not in paid]
        if worth < deal.buy_amount or len(left) < deal.get_quantity:
            return
        order = left if deal.pick is Pick.CHEAPEST else left[::-1]
        reduced = order[: deal.get_quantity]
        groups.use(paid + reduced)
        for unit in reduced:
            groups.cut(unit, share_of(unit[0], deal.rate_bp))
        gettable = [unit for unit in left if unit not in reduced]
        paid_from = [unit for unit in paid_from if unit not in reduced]
        formed += 1


def _bundle(bundle: Bundle, groups: Grouping, mask: int) -> None:
    """As many bundles as there are units for, of the dearest units, while they save anything."""
    pools = [
        (groups.free_units(mask & groups.bill.of(part.selection)), part.quantity)
        for part in bundle.parts
    ]
    # The part with the least choice chooses first.
    pools.sort(key=lambda pool: len(pool[0]) - pool[1])
    size = sum(quantity for _, quantity in pools)
    formed = 0
    taken: set[Unit] = set()
    while bundle.max_groups is None or formed < bundle.max_groups:
        units: list[Unit] = []
        for pool, quantity in pools:
            found = 0
            while pool and found < quantity:
                unit = pool.pop()
                if unit not in taken:
                    taken.add(unit)
                    units.append(unit)
                    found += 1
        nets = [unit[0] for unit in units]
        gain = sum(nets) - bundle.price
        if len(units) < size or gain <= 0:
            return
        groups.use(units)
        for unit, amount in zip(units, spread(gain, nets, nets), strict=True):
            groups.cut(unit, amount)
        formed += 1


def _parts_lacking(terms: OfferTerms, bill: Bill, mask: int) -> tuple[int, int, int]:
    parts = terms.bundle.parts if terms.bundle else ()
    need = sum(part.quantity for part in parts)
    lacking = sum(missing for _part, missing in parts_lacking(terms, bill, mask))
    return need, need - lacking, lacking


def parts_lacking(terms: OfferTerms, bill: Bill, mask: int) -> list[tuple[BundlePart, int]]:
    """The parts of a bundle for which `mask` has too few units, and how many are missing."""
    groups = Grouping(bill, bill.start)
    taken: set[Unit] = set()
    parts = terms.bundle.parts if terms.bundle else ()
    pools = [(groups.free_units(mask & bill.of(part.selection)), part) for part in parts]
    lacking = []
    for pool, part in sorted(pools, key=lambda found: len(found[0]) - found[1].quantity):
        units = [unit for unit in reversed(pool) if unit not in taken][: part.quantity]
        taken.update(units)
        if len(units) < part.quantity:
            lacking.append((part, part.quantity - len(units)))
    return lacking
