"""What each unit of a paid bill cost: what a refund of it is worth, frozen with the bill."""

from marketing.coupons.pricing.answer import Quote
from marketing.coupons.pricing.bill import Cart
from marketing.coupons.pricing.paise import apportion

# By line's number: an amount for each of its units, in their order.
Units = dict[int, list[int]]


def unit_nets(cart: Cart, quote: Quote) -> Units:
    """Paise of each unit after all discounts, in the basis prices are quoted in."""
    nets = {}
    for line in cart.lines:
        manual = apportion(line.manual_discount, [line.unit_price] * line.quantity)
        nets[line.number] = [line.unit_price - part for part in manual]
    shares = [share for one in quote.applied for share in one.shares]
    for share in (*shares, *quote.points_shares):
        pairs = zip(nets[share.line], share.units, strict=True)
        nets[share.line] = [net - part for net, part in pairs]
    return nets


def unit_totals(cart: Cart, quote: Quote) -> Units:
    """Paise of each unit with tax; those of a line add up to its `total`."""
    nets = unit_nets(cart, quote)
    return {line.number: apportion(line.total, nets[line.number]) for line in quote.lines}


def over_units(amount: int, weights: Units) -> Units:
    """`amount` over the units of all lines, in proportion to their `weights`."""
    flat = [weight for line in sorted(weights) for weight in weights[line]]
    parts = iter(apportion(amount, flat))
    return {line: [next(parts) for _ in weights[line]] for line in sorted(weights)}
