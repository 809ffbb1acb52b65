"""What a quote answers: amounts frozen per offer, line and unit, and why (offers.md 5.8)."""

from dataclasses import dataclass
from enum import StrEnum

from marketing.coupons.pricing.reasons import Reason

# Raised whenever the same inputs may give another answer; stored with every decision.
ENGINE = "2"


class Verdict(StrEnum):
    APPLIED = "applied"
    BEATEN = "beaten"
    BLOCKED = "blocked"


class Optimality(StrEnum):
    """`BOUNDED`: something was left uncompared (too many offers, or no time)."""

    EXACT = "exact"
    BOUNDED = "bounded"


class UnlockKind(StrEnum):
    """What would have to change for an offer to apply."""

    SPEND_MORE = "spend_more"  # amount
    ADD_UNITS = "add_units"  # quantity, services, categories
    COME_AT = "come_at"  # at
    SAY_WHO = "say_who"


@dataclass(slots=True, kw_only=True)
class Unlock:
    """One step; an offer applies once all steps of its decision are taken.

    `amount` is paise, at list prices. Empty `services` and `categories` mean any service;
    `at` is RFC 3339 in the branch's zone.
    """

    kind: UnlockKind
    amount: int = 0
    quantity: int = 0
    services: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    at: str = ""


@dataclass(slots=True, kw_only=True)
class Share:
    """What an offer takes off one line, and off each of its units (in order; sums to amount)."""

    line: int
    amount: int
    units: tuple[int, ...]


@dataclass(slots=True, kw_only=True)
class Applied:
    """An offer that applies: frozen amounts, from which refunds are paid, never reckoned again.

    `amount` is paise, above 0 always. `code` opened it, empty for automatic ones. `stage` is
    1 item, 2 group, 3 bill share, 4 bill amount.
    """

    offer: str
    revision: int
    stage: int
    amount: int
    shares: tuple[Share, ...]
    code: str = ""


@dataclass(slots=True, kw_only=True)
class Decision:
    """What became of one candidate.

    `saving` is what it gives here if applied, else what it would give alone (0 if blocked).
    `beaten_by` are the offers of the chosen set and `behind_by` how much more that set saves
    than this offer alone. `unlock` may also stand with an applied one: the next spend tier.
    """

    offer: str
    revision: int
    verdict: Verdict
    saving: int = 0
    code: str = ""
    reasons: tuple[Reason, ...] = ()
    beaten_by: tuple[str, ...] = ()
    behind_by: int = 0
    unlock: tuple[Unlock, ...] = ()


@dataclass(slots=True, kw_only=True)
class CodeDecision:
    """What became of one typed code, in the order typed; `offer` is empty when it opens none."""

    code: str
    verdict: Verdict
    offer: str = ""
    reasons: tuple[Reason, ...] = ()


@dataclass(slots=True, kw_only=True)
class PricedLine:
    """One line after everything, paise.

    `listed` = quantity × unit price; `net` = `listed` - `manual_discount` - `discount`, in the
    basis prices are quoted in; `points` of it are already taken off as a discount by points.
    `total` = `taxable` + `cgst` + `sgst` is what the line costs with tax.
    """

    number: int
    listed: int
    manual_discount: int
    discount: int
    points: int
    net: int
    tax_rate_bp: int | None
    taxable: int
    cgst: int
    sgst: int
    total: int


@dataclass(slots=True, kw_only=True)
class RateTotal:
    """Tax of one rate over the bill."""

    tax_rate_bp: int
    taxable: int
    cgst: int
    sgst: int


@dataclass(slots=True, kw_only=True)
class Quote:
    """The answer. Each total is the sum of its lines; `payable` = `total` - `tender`.

    `discount` is the offers' alone; `points` is what points took off (as a discount), `tender`
    what they pay. Rounding to whole rupees is billing's, after this.
    """

    engine: str
    lines: tuple[PricedLine, ...]
    applied: tuple[Applied, ...]
    decisions: tuple[Decision, ...]
    codes: tuple[CodeDecision, ...]
    points_shares: tuple[Share, ...]
    listed: int
    manual_discount: int
    discount: int
    points: int
    net: int
    taxes: tuple[RateTotal, ...]
    tax: int
    total: int
    tender: int
    payable: int
    optimality: Optimality
    compared_sets: int
