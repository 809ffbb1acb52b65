"""What is wrong with a value, at its field in the API's names."""

from dataclasses import dataclass
from enum import StrEnum

# Above any bill; the product of two such amounts still fits the database's 64 bits.
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


@dataclass(frozen=True, slots=True)
class Fault:
    """`field` is camelCase and dotted, as a refusal of the API names it."""

    field: str
    code: FaultCode
