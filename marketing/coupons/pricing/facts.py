"""What is true besides the bill: the customer, what has been used, the chain's settings."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from marketing.coupons.pricing.terms import NO_IDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Whom the bill is for. A bill without one is quoted with `customer=None`.

    `visits` counts her completed, unvoided bills in the chain, this one not included.
    `segments` need only hold those that the offers handed in ask for.
    """

    id: str
    visits: int = 0
    segments: frozenset[str] = NO_IDS
    tier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferUsage:
    """What was taken of one offer when the quote was made, live reservations counted.

    What this very bill holds already is left out, so that editing a bill keeps its own use.
    `customer` and `in_period` are hers, `branch` this branch's; `period_resets_at` (aware) is
    when her period ends. `spent` is paise of discount given or held.
    """

    total: int = 0
    branch: int = 0
    customer: int = 0
    in_period: int = 0
    period_resets_at: dt.datetime | None = None
    spent: int = 0


class TaxRounding(StrEnum):
    LINE = "line"
    SUM_BY_RATE_KEEP_GROSS = "sum_by_rate_keep_gross"


class Choice(StrEnum):
    """`BEST_DEAL` compares sets; `IN_ORDER` takes what fits, stage by stage, by priority."""

    BEST_DEAL = "best_deal"
    IN_ORDER = "in_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The chain's choices and the bounds of the search (offers.md 5.4).

    `max_bill_discount` (paise) caps all offers together. `compared` automatic offers are
    compared, at most `stack_size` of them apply; codes are tried beside them, `max_codes` of
    them.
    """

    tax_rounding: TaxRounding = TaxRounding.LINE
    choice: Choice = Choice.BEST_DEAL
    max_bill_discount: int | None = None
    compared: int = 10
    stack_size: int = 3
    max_codes: int = 5
