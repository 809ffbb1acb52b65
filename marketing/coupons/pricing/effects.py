"""What one offer takes off the bill as it stands (offers.md 5.2-5.4)."""

from dataclasses import dataclass
from operator import sub

from marketing.coupons.pricing.compiled import GROUP, ITEM, CompiledOffer
from marketing.coupons.pricing.groups import grouped
from marketing.coupons.pricing.paise import share_of, spread
from marketing.coupons.pricing.reasons import Reason, ReasonCode, reason
from marketing.coupons.pricing.running import Bill, State
from marketing.coupons.pricing.terms import (
    Basis,
    Kind,
    Measure,
    Scope,
    SpendTier,
    Weights,
)

UnitCuts = dict[int, list[int]]  # by line: what each unit loses


@dataclass(slots=True)
class Candidate:
    """An offer that this bill could have, seen in its light.

    `mask` are its lines, `got` those of the units that a buy-X-get-Y reduces (else `mask`
    again); `cap` the most it may give here (its own cap, the budget's rest);
    `budget_left` is set where the offer would rather not apply than overshoot.
    """

    offer: CompiledOffer
    mask: int
    got: int
    cap: int | None = None
    budget_left: int | None = None
    code: str = ""


@dataclass(slots=True)
class Effect:
    """Paise per line (by index), and per unit where the kind says which; `covered` is a mask.

    `used` are the units of each line that counted in a group, this offer's included.
    """

    total: int
    lines: dict[int, int]
    units: UnitCuts
    covered: int
    used: list[int] | None = None


NOTHING = Effect(0, {}, {}, 0)


def open_lines(candidate: Candidate, bill: Bill, state: State) -> int:
    """Lines the offer may touch now: not those taken by offers it does not share lines with."""
    offer = candidate.offer
    mask = candidate.got & ~(state.closed if offer.shares_lines else state.touched)
    if offer.terms.skip_discounted:
        mask &= ~(state.touched | bill.discounted_mask)
    return mask


def measured(candidate: Candidate, bill: Bill, state: State) -> int:
    """The amount that minimum, maximum and tiers look at."""
    limits = candidate.offer.terms.thresholds
    amounts = bill.list_amounts if limits.basis is Basis.LIST else state.net
    if limits.measure is Measure.BILL:
        return sum(amounts)
    return sum([amounts[i] for i in bill.members(candidate.mask)])


def amount_fault(candidate: Candidate, bill: Bill, state: State) -> Reason | None:
    """Why the bill's amount is not what the offer asks for."""
    limits = candidate.offer.terms.thresholds
    tiers = candidate.offer.tiers
    need = max(limits.min_amount or 0, tiers[-1].threshold if tiers else 0)
    if not need and limits.max_amount is None:
        return None
    have = measured(candidate, bill, state)
    if have < need:
        return reason(ReasonCode.MIN_AMOUNT_SHORT, need=need, have=have, short_by=need - have)
    if limits.max_amount is not None and have > limits.max_amount:
        over = have - limits.max_amount
        return reason(ReasonCode.MAX_AMOUNT_OVER, limit=limits.max_amount, have=have, over_by=over)
    return None


def tier_reached(candidate: Candidate, bill: Bill, state: State) -> SpendTier | None:
    """The highest tier reached, the only one that counts."""
    have = measured(candidate, bill, state)
    return next((tier for tier in candidate.offer.tiers if tier.threshold <= have), None)


def saving(candidate: Candidate, bill: Bill, state: State, bill_room: int | None) -> int:
    """The total of `effect`, for less work where it need not be spread."""
    return _effect(candidate, bill, state, bill_room, total_only=True).total


def effect(candidate: Candidate, bill: Bill, state: State, bill_room: int | None) -> Effect:
    """What the offer takes off now; `bill_room` is what all offers together may still give."""
    return _effect(candidate, bill, state, bill_room, total_only=False)


def _effect(
    candidate: Candidate, bill: Bill, state: State, bill_room: int | None, *, total_only: bool
) -> Effect:
    offer = candidate.offer
    terms = offer.terms
    if offer.running and amount_fault(candidate, bill, state):
        return NOTHING
    mask = open_lines(candidate, bill, state)
    if not mask:
        return NOTHING
    cap = candidate.cap
    if bill_room is not None and (cap is None or bill_room < cap):
        cap = bill_room
    if offer.stage == GROUP:
        bought = candidate.mask
        if terms.skip_discounted:
            bought &= ~(state.touched | bill.discounted_mask)
        groups = grouped(terms, bill, state, bought, mask)
        return _limited(candidate, bill, state, cap, {}, groups.cuts, groups.used, total_only)
    rate_bp, amount = terms.rate_bp, terms.amount
    if terms.kind is Kind.SPEND_TIERS:
        tier = tier_reached(candidate, bill, state)
        if tier is None:
            return NOTHING
        rate_bp, amount = tier.rate_bp, tier.amount
    if offer.stage == ITEM:
        lines, cuts = _items(candidate, bill, state, mask, rate_bp, amount)
        return _limited(candidate, bill, state, cap, lines, cuts, None, total_only)
    return _once(candidate, bill, state, mask, cap, rate_bp, amount, total_only)


def apply(candidate: Candidate, state: State, done: Effect, bill: Bill) -> State:
    """The state after `done`."""
    net, units = state.net.copy(), state.units.copy()
    for i, amount in done.lines.items():
        net[i] -= amount
        before = units[i]
        if before is not None:
            cut = unit_cuts(candidate, bill, state, done, i)
            units[i] = list(map(sub, before, cut))
    closed = state.closed | (0 if candidate.offer.shares_lines else done.covered)
    return State(
        net,
        units,
        state.used if done.used is None else done.used,
        state.touched | done.covered,
        closed,
        state.saved + done.total,
    )


def unit_cuts(candidate: Candidate, bill: Bill, state: State, done: Effect, i: int) -> list[int]:
    """What each unit of line `i` loses: as the kind says, else by what units still cost."""
    cut = done.units.get(i)
    if cut is not None:
        return cut
    nets = state.unit_nets(i)
    return spread(done.lines[i], nets, _unit_rooms(candidate, bill, nets, i))


def line_room(candidate: Candidate, bill: Bill, state: State, i: int) -> int:
    """The most line `i` may lose: down to its floor, within the cap per line."""
    floor = max(bill.lines[i].floor_price, candidate.offer.terms.caps.floor_price)
    if not floor:
        room = state.net[i]
    elif (nets := state.units[i]) is None:
        room = max(0, state.net[i] - floor)
    else:
        room = sum(net - floor for net in nets if net > floor)
    cap = candidate.offer.terms.caps.line
    return room if cap is None or room < cap else cap


def _unit_rooms(candidate: Candidate, bill: Bill, nets: list[int], i: int) -> list[int]:
    floor = max(bill.lines[i].floor_price, candidate.offer.terms.caps.floor_price)
    return [max(0, net - floor) for net in nets] if floor else nets


def _once(
    candidate: Candidate,
    bill: Bill,
    state: State,
    mask: int,
    cap: int | None,
    rate_bp: int,
    amount: int,
    total_only: bool,
) -> Effect:
    """One amount over all open lines, rounded once, then spread."""
    net = state.net
    open_now = [i for i in bill.members(mask) if net[i] > 0]
    nets = [net[i] for i in open_now]
    if candidate.offer.caps_lines or bill.has_floors:
        rooms = [line_room(candidate, bill, state, i) for i in open_now]
    else:
        rooms = nets
    if rate_bp:
        amount = share_of(sum(nets), rate_bp)
    amount = min(amount, sum(rooms))
    amount = _within(candidate, amount, cap)
    if amount <= 0:
        return NOTHING
    if total_only:
        return Effect(amount, {}, {}, 0)
    weights = nets
    if candidate.offer.terms.weights is Weights.QUANTITY:
        weights = [bill.lines[i].quantity for i in open_now]
    parts = spread(amount, weights, rooms)
    covered = 0
    lines = {}
    for i, part, room in zip(open_now, parts, rooms, strict=True):
        covered |= 1 << i if room else 0
        if part:
            lines[i] = part
    return Effect(amount, lines, {}, covered)


def _items(
    candidate: Candidate, bill: Bill, state: State, mask: int, rate_bp: int, amount: int
) -> tuple[dict[int, int], UnitCuts]:
    """What each line would lose by itself, before caps."""
    terms = candidate.offer.terms
    lines: dict[int, int] = {}
    cuts: UnitCuts = {}
    if terms.kind is Kind.FREE_SERVICE:
        return lines, _free_units(candidate, bill, state, mask)
    open_now = [i for i in bill.members(mask) if state.net[i] > 0]
    if terms.kind is Kind.FIXED_PRICE:
        for i in open_now:
            cuts[i] = [net - amount if net > amount else 0 for net in state.unit_nets(i)]
    elif rate_bp:
        lines = {i: share_of(state.net[i], rate_bp) for i in open_now}
    elif terms.scope is Scope.UNIT:
        for i in open_now:
            cuts[i] = [net if net < amount else amount for net in state.unit_nets(i)]
    else:
        lines = dict.fromkeys(open_now, amount)
    return lines, cuts


def _free_units(candidate: Candidate, bill: Bill, state: State, mask: int) -> UnitCuts:
    """The cheapest units of the selection that still cost something, made free."""
    units = sorted(
        (net, bill.lines[i].service, i, u)
        for i in bill.members(mask)
        for u, net in enumerate(state.unit_nets(i))
        if net > 0
    )
    cuts: UnitCuts = {}
    for net, _, i, u in units[: candidate.offer.terms.free_units]:
        cuts.setdefault(i, [0] * bill.lines[i].quantity)[u] = net
    return cuts


def _limited(
    candidate: Candidate,
    bill: Bill,
    state: State,
    cap: int | None,
    lines: dict[int, int],
    cuts: UnitCuts,
    used: list[int] | None,
    total_only: bool,
) -> Effect:
    """Held to floors, to the cap of each line, and to the cap of all."""
    if candidate.offer.caps_lines or bill.has_floors:
        wanted = _within_rooms(candidate, bill, state, lines, cuts)
    else:
        net = state.net
        wanted = {i: part if part < net[i] else net[i] for i, part in lines.items() if part}
        for i, cut in sorted(cuts.items()):
            part = sum(cut)
            if part:
                wanted[i] = part
    total = sum(wanted.values())
    amount = _within(candidate, total, cap)
    if amount <= 0:
        return NOTHING
    if total_only:
        return Effect(amount, {}, {}, 0)
    covered = 0
    for i in wanted:
        covered |= 1 << i
    if amount < total:
        parts = spread(amount, [state.net[i] for i in wanted], list(wanted.values()))
        for i, part in zip(wanted, parts, strict=True):
            if i in cuts:
                cuts[i] = spread(part, cuts[i], cuts[i])
        wanted = {i: part for i, part in zip(wanted, parts, strict=True) if part}
    cuts = {i: cuts[i] for i in wanted if i in cuts} if cuts else cuts
    return Effect(amount, wanted, cuts, covered, used)


def _within_rooms(
    candidate: Candidate, bill: Bill, state: State, lines: dict[int, int], cuts: UnitCuts
) -> dict[int, int]:
    """What each line loses, held to its floor and to the cap of a line; `cuts` with it."""
    wanted = {}
    for i in sorted(lines.keys() | cuts.keys()):
        room = line_room(candidate, bill, state, i)
        cut = cuts.get(i)
        if cut is None:
            part = min(lines[i], room)
        else:
            rooms = _unit_rooms(candidate, bill, state.unit_nets(i), i)
            cut = [min(part, space) for part, space in zip(cut, rooms, strict=True)]
            part = min(sum(cut), room)
            cuts[i] = cut if part == sum(cut) else spread(part, cut, cut)
        if part > 0:
            wanted[i] = part
    return wanted


def _within(candidate: Candidate, amount: int, cap: int | None) -> int:
    """`amount` within the caps; 0 where the budget would rather not be overshot."""
    own = candidate.offer.terms.caps.bill
    asked = amount if own is None else min(amount, own)
    if candidate.budget_left is not None and asked > candidate.budget_left:
        return 0
    return asked if cap is None else min(asked, cap)
