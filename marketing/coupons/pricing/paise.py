"""Arithmetic in whole paise: one rounding, exact parts (offers.md 5.1-5.3)."""

from collections.abc import Sequence

WHOLE = 10_000  # basis points in one


def half_up(numerator: int, denominator: int) -> int:
    """`numerator` / `denominator` to the nearest whole, halves away from zero."""
    if numerator < 0:
        return -half_up(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def share_of(amount: int, rate_bp: int) -> int:
    """`rate_bp` basis points of `amount`, half up."""
    return half_up(amount * rate_bp, WHOLE)


def apportion(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` (0 or more) in proportion to `weights`, by largest remainder.

    Parts add up to `amount`; the first of equal remainders gets the odd paisa. A part of no
    weight gets nothing, unless none has any: then all weigh the same. No weights, no parts.
    """
    if len(weights) == 1:
        return [amount]
    total = sum(weights)
    if not total:
        weights, total = [1] * len(weights), len(weights)
    parts, remainders = [], []
    for weight in weights:
        part, remainder = divmod(amount * weight, total)
        parts.append(part)
        remainders.append(remainder)
    odd = amount - sum(parts)
    if odd:
        # sort is stable: of equal remainders the first stays first.
        for i in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[:odd]:
            parts[i] += 1
    return parts


def spread(amount: int, weights: Sequence[int], rooms: Sequence[int]) -> list[int]:
    """`apportion`, but no part above its room: what does not fit flows on to the others.

    Parts add up to `amount`, or to all room where that is less. Who is above his room gets
    just that, and the rest is apportioned anew over those still open.
    """
    amount = min(amount, sum(rooms))
    if len(rooms) == 1:
        return [amount]
    parts = apportion(amount, weights)
    if all(part <= room for part, room in zip(parts, rooms, strict=True)):
        return parts
    still = [i for i, room in enumerate(rooms) if room > 0]
    parts = [0] * len(rooms)
    while still:
        trial = apportion(amount, [weights[i] for i in still])
        full = [i for i, part in zip(still, trial, strict=True) if part > rooms[i]]
        if not full:
            for i, part in zip(still, trial, strict=True):
                parts[i] = part
            break
        for i in full:
            parts[i] = rooms[i]
            amount -= rooms[i]
        still = [i for i in still if not parts[i]]
    return parts
