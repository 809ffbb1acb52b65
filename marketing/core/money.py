"""Money is `Decimal` with a currency beside it; sums round once, half up."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

PAISA = Decimal("0.01")


def round_money(amount: Decimal) -> Decimal:
    """`amount` to two places, half up."""
    return amount.quantize(PAISA, rounding=ROUND_HALF_UP)


def allocate(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split `amount` (two places) in proportion to `weights` by largest remainder.

    The parts have two places and add up to `amount` exactly; the first of equal
    remainders gets the odd paisa. Raises ValueError when the weights add up to nothing.
    """
    total = sum(weights, Decimal(0))
    if total <= 0:
        raise ValueError("weights must add up to more than zero")
    paise = int(round_money(amount) / PAISA)
    exact = [paise * weight / total for weight in weights]
    parts = [int(share) for share in exact]
    order = sorted(range(len(weights)), key=lambda i: parts[i] - exact[i])
    for i in order[: paise - sum(parts)]:
        parts[i] += 1
    return [part * PAISA for part in parts]
