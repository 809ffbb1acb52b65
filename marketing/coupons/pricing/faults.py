"""What is wrong with a value, at its field in the API's names."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from marketing.coupons.pricing.paise import WHOLE

# No bill comes to more; the product of two such amounts still fits the database's 64 bits.
HIGHEST = 1_000_000_000  # paise
# Of many bills together.
HIGHEST_BUDGET = 1_000 * HIGHEST


class FaultCode(StrEnum):
    REQUIRED = "required"
    OUT_OF_RANGE = "out_of_range"
    NOT_RISING = "not_rising"
    MIXED = "mixed"
    ENDS_BEFORE_START = "ends_before_start"
    NOT_FOR_KIND = "not_for_kind"
    REPEATED = "repeated"
    TOO_MANY = "too_many"
    TOO_MANY_UNITS = "too_many_units"
    GIVES_MORE = "gives_more"
    TOO_HIGH = "too_high"


class Unit(StrEnum):
    PAISE = "paise"
    BASIS_POINTS = "basis_points"
    PIECES = "pieces"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Both may be; without `most` nothing is too much."""

    unit: Unit
    least: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """`field` is camelCase and dotted, as a refusal of the API names it.

    `bounds`: what may be, of a value that is out of range or a bill that is too high.
    """

    field: str
    code: FaultCode
    bounds: Bounds | None = dataclasses.field(default=None, compare=False)


def amount_outside(field: str, *, least: int = 0, most: int = HIGHEST) -> Fault:
    return Fault(field, FaultCode.OUT_OF_RANGE, Bounds(Unit.PAISE, least, most))


def share_outside(field: str, *, least: int = 1) -> Fault:
    return Fault(field, FaultCode.OUT_OF_RANGE, Bounds(Unit.BASIS_POINTS, least, WHOLE))


def count_outside(field: str, *, least: int = 1, most: int | None = None) -> Fault:
    return Fault(field, FaultCode.OUT_OF_RANGE, Bounds(Unit.PIECES, least, most))
