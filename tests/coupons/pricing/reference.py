"""The rules once more, short, slow and apart from the engine: every set, exact fractions.

Knows what `strategies.offers` draws: no floors, no caps per line, no days, no limits.
"""

import itertools
import math
from fractions import Fraction

STAGES = {"fixed_price": 1, "free_service": 1, "buy_x_get_y": 2, "bundle": 2}


def best(lines, offers, stack=3):
    """Ids of the best set and what it saves. `lines` are (service, price, quantity)."""
    sets = [
        chosen
        for size in range(min(stack, len(offers)) + 1)
        for chosen in itertools.combinations(sorted(offers, key=order), size)
        if all(friends(a, b) for a, b in itertools.combinations(chosen, 2))
    ]
    priced = [(chosen, price(lines, chosen)) for chosen in sets]
    priced = [(chosen, amounts) for chosen, amounts in priced if all(amounts)]
    chosen, amounts = min(
        priced,
        key=lambda one: (
            -sum(one[1]),
            len(one[0]),
            sorted(-offer.combining.priority for offer in one[0]),
            sorted(offer.id for offer in one[0]),
        ),
    )
    return [offer.id for offer in chosen], sum(amounts)


def stage(offer):
    shares = offer.rate_bp or any(tier.rate_bp for tier in offer.tiers)
    return STAGES.get(offer.kind, (3 if shares else 4) if offer.scope == "bill" else 1)


def order(offer):
    return stage(offer), -offer.combining.priority, offer.id


def friends(a, b):
    a, b = a.combining, b.combining
    one_way = a.combines_with is None or a.combines_with & b.tags
    other_way = b.combines_with is None or b.combines_with & a.tags
    return "none" not in (a.stacking, b.stacking) and one_way and other_way


def price(lines, chosen):
    """What each of `chosen`, in this order, takes off."""
    units = [
        [i, service, price, False] for i, (service, price, n) in enumerate(lines) for _ in range(n)
    ]
    holders = {i: [] for i in range(len(lines))}
    amounts = []
    for offer in chosen:
        mine = offer.combining.stacking
        shut = {
            i for i, held in holders.items() if held and (mine != "item" or set(held) != {"item"})
        }
        cuts = cut(offer, units, shut, lines)
        for unit, amount in cuts.items():
            units[unit][2] -= amount
        # Of the bill an offer has all its lines, of items those that it takes something off.
        touched = {units[unit][0] for unit, amount in cuts.items() if amount or stage(offer) > 2}
        for i in touched if sum(cuts.values()) else ():
            holders[i].append(mine)
        amounts.append(sum(cuts.values()))
    return amounts


def cut(offer, units, shut, lines):
    """What each unit (by place) loses; no cut of 0 but where the offer covers the line."""
    wanted = [
        u
        for u, unit in enumerate(units)
        if not offer.selection.services or unit[1] in offer.selection.services
    ]
    limits = offer.thresholds
    whole = (
        sum(unit[2] for unit in units)
        if limits.basis == "running"
        else sum(p * n for _, p, n in lines)
    )
    if not wanted or (limits.min_amount or 0) > whole or len(wanted) < limits.min_quantity:
        return {}
    free = [u for u in wanted if units[u][0] not in shut and units[u][2] > 0]
    net = {u: units[u][2] for u in free}
    if offer.kind in ("buy_x_get_y", "bundle"):
        return group(offer, units, net, [u for u in wanted if units[u][2] > 0])
    if offer.kind == "free_service":
        first = sorted(free, key=lambda u: (net[u], units[u][1], u))[: offer.free_units]
        return {u: net[u] for u in first}
    if offer.kind == "fixed_price":
        return {u: net[u] - offer.amount for u in free if net[u] > offer.amount}
    rate, amount = offer.rate_bp, offer.amount
    for tier in sorted(offer.tiers, key=lambda tier: tier.threshold) if offer.tiers else ():
        if whole >= tier.threshold:
            rate, amount = tier.rate_bp, tier.amount
    if offer.scope == "unit":
        return {u: min(net[u], amount) for u in free}
    parts = {}
    by_line = {
        i: [u for u in free if units[u][0] == i] for i in dict.fromkeys(units[u][0] for u in free)
    }
    sums = {i: sum(net[u] for u in us) for i, us in by_line.items()}
    if offer.scope == "line":
        parts = {
            i: min(half_up(Fraction(s * rate, 10000)) if rate else amount, s)
            for i, s in sums.items()
        }
    elif sums:
        total = min(
            half_up(Fraction(sum(sums.values()) * rate, 10000)) if rate else amount,
            sum(sums.values()),
        )
        parts = share(total, sums) if total else {}
    return {
        u: part
        for i, us in by_line.items()
        if i in parts
        for u, part in share(parts[i], {u: net[u] for u in us}).items()
    }


def group(offer, units, net, wanted):
    used = [u for u in wanted if units[u][3]]
    rank = sorted((u for u in wanted if u not in used), key=lambda u: (units[u][2], units[u][1], u))
    gets = [u for u in rank if u in net]
    cuts = {}
    if offer.kind == "bundle":
        size = offer.bundle.parts[0].quantity
        while len(gets) >= size and sum(net[u] for u in gets[-size:]) > offer.bundle.price:
            mine, gets = gets[-size:][::-1], gets[:-size]
            cuts |= share(sum(net[u] for u in mine) - offer.bundle.price, {u: net[u] for u in mine})
            for u in mine:
                units[u][3] = True
        return cuts
    buy, get = offer.buy_get.buy_quantity, offer.buy_get.get_quantity
    count = next(
        c
        for c in itertools.count(len(rank), -1)
        if c * get <= len(gets) and c * (buy + get) <= len(rank)
    )
    reduced = gets[: count * get]
    paid = [u for u in rank[::-1] if u not in reduced][: count * buy]
    cuts = {u: half_up(Fraction(net[u] * offer.buy_get.rate_bp, 10000)) for u in reduced}
    if sum(cuts.values()):
        for u in reduced + paid:
            units[u][3] = True
    return cuts


def half_up(exact):
    return math.floor(exact + Fraction(1, 2))


def share(total, weights):
    """Largest remainder; the first of equals gets the odd paisa."""
    exact = {
        key: Fraction(total * weight, sum(weights.values())) for key, weight in weights.items()
    }
    parts = {key: math.floor(value) for key, value in exact.items()}
    for key in sorted(exact, key=lambda key: parts[key] - exact[key])[
        : total - sum(parts.values())
    ]:
        parts[key] += 1
    return parts
