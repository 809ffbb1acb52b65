"""What is wrong with terms, field by field, in the API's names; forms and API share it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from marketing.coupons.pricing.paise import WHOLE
from marketing.coupons.pricing.terms import Kind, OfferTerms, Scope, SpendTier

# Above any bill; keeps every product of amounts within 64 bits for the database.
HIGHEST = 10_000_000_000  # paise


class Fault(StrEnum):
    REQUIRED = "required"
    OUT_OF_RANGE = "out_of_range"
    NOT_RISING = "not_rising"
    MIXED = "mixed"
    ENDS_BEFORE_START = "ends_before_start"
    NOT_FOR_KIND = "not_for_kind"


@dataclass(frozen=True, slots=True)
class TermsFault:
    """`field` is camelCase as in the API."""

    field: str
    fault: Fault


def faults(terms: OfferTerms) -> list[TermsFault]:
    """All that keeps `terms` from being an offer; empty when nothing does."""
    return [TermsFault(field, fault) for field, fault in _faults(terms)]


def _faults(terms: OfferTerms) -> Iterator[tuple[str, Fault]]:
    yield from _worth(terms)
    yield from _scope(terms)
    table, limits, caps = terms.timetable, terms.limits, terms.caps
    if table.starts is not None and table.ends is not None and table.ends <= table.starts:
        yield "validUntil", Fault.ENDS_BEFORE_START
    if any(not 0 <= one.start < 1440 or not 0 <= one.until <= 1440 for one in table.hours):
        yield "hours", Fault.OUT_OF_RANGE
    if any(span.last < span.first for span in table.blackouts):
        yield "blackouts", Fault.ENDS_BEFORE_START
    for name, count in (
        ("maxTotalUses", limits.total),
        ("maxUsesPerCustomer", limits.per_customer),
        ("maxUsesPerBranch", limits.per_branch),
        ("maxUsesPerPeriod", limits.per_period),
        ("nthVisit", terms.audience.nth_visit),
    ):
        if count is not None and count < 1:
            yield name, Fault.OUT_OF_RANGE
    for name, amount in (
        ("budget", limits.budget),
        ("maxDiscountAmount", caps.bill),
        ("maxDiscountPerLine", caps.line),
    ):
        if amount is not None and not 0 < amount <= HIGHEST:
            yield name, Fault.OUT_OF_RANGE
    least, most = terms.thresholds.min_amount, terms.thresholds.max_amount
    for name, amount in (
        ("minOrderAmount", least),
        ("maxOrderAmount", most),
        ("floorPrice", caps.floor_price),
    ):
        if amount is not None and not 0 <= amount <= HIGHEST:
            yield name, Fault.OUT_OF_RANGE
    if least is not None and most is not None and most < least:
        yield "maxOrderAmount", Fault.OUT_OF_RANGE
    if terms.thresholds.min_quantity < 0:
        yield "minQuantity", Fault.OUT_OF_RANGE


def _worth(terms: OfferTerms) -> Iterator[tuple[str, Fault]]:
    """What the kind gives."""
    kind = terms.kind
    if kind is Kind.PERCENTAGE and not 0 < terms.rate_bp <= WHOLE:
        yield "discountValue", Fault.OUT_OF_RANGE
    if kind is Kind.FLAT and not 0 < terms.amount <= HIGHEST:
        yield "discountValue", Fault.OUT_OF_RANGE
    if kind is Kind.FIXED_PRICE and not 0 <= terms.amount <= HIGHEST:
        yield "discountValue", Fault.OUT_OF_RANGE
    if kind is Kind.FREE_SERVICE:
        if not terms.selection.services and not terms.selection.categories:
            yield "freeServiceId", Fault.REQUIRED
        if terms.free_units < 1:
            yield "freeUnits", Fault.OUT_OF_RANGE
    if kind is Kind.SPEND_TIERS:
        yield from _tiers(terms.tiers)
    if kind is Kind.BUNDLE:
        yield from _bundle(terms)
    if kind is Kind.BUY_X_GET_Y:
        yield from _buy_get(terms)


def _scope(terms: OfferTerms) -> Iterator[tuple[str, Fault]]:
    shares = terms.kind is Kind.PERCENTAGE or any(tier.rate_bp for tier in terms.tiers)
    if terms.scope is Scope.UNIT and shares:
        yield "scope", Fault.NOT_FOR_KIND


def _tiers(tiers: tuple[SpendTier, ...]) -> Iterator[tuple[str, Fault]]:
    if not tiers:
        yield "tiers", Fault.REQUIRED
        return
    by_share = [tier for tier in tiers if tier.rate_bp]
    by_amount = [tier for tier in tiers if tier.amount]
    if by_share and by_amount:
        yield "tiers", Fault.MIXED
        return
    if len(by_share) + len(by_amount) < len(tiers):
        yield "tiers", Fault.REQUIRED
    if any(not 0 <= tier.rate_bp <= WHOLE or tier.amount < 0 for tier in tiers):
        yield "tiers", Fault.OUT_OF_RANGE
    if any(not 0 <= tier.threshold <= HIGHEST for tier in tiers):
        yield "tiers", Fault.OUT_OF_RANGE
    for lower, higher in pairwise(tiers):
        if higher.threshold <= lower.threshold or (
            higher.rate_bp < lower.rate_bp or higher.amount < lower.amount
        ):
            yield "tiers", Fault.NOT_RISING
            return


def _bundle(terms: OfferTerms) -> Iterator[tuple[str, Fault]]:
    bundle = terms.bundle
    if bundle is None or not bundle.parts:
        yield "bundle", Fault.REQUIRED
        return
    if not 0 <= bundle.price <= HIGHEST:
        yield "discountValue", Fault.OUT_OF_RANGE
    if any(part.quantity < 1 for part in bundle.parts) or (
        bundle.max_groups is not None and bundle.max_groups < 1
    ):
        yield "bundle", Fault.OUT_OF_RANGE


def _buy_get(terms: OfferTerms) -> Iterator[tuple[str, Fault]]:
    deal = terms.buy_get
    if deal is None:
        yield "buyGet", Fault.REQUIRED
        return
    if deal.buy_quantity and deal.buy_amount:
        yield "buyGet", Fault.MIXED
    if (
        deal.buy_quantity < 0
        or not 0 <= deal.buy_amount <= HIGHEST
        or deal.get_quantity < 1
        or not 0 < deal.rate_bp <= WHOLE
        or (deal.max_groups is not None and deal.max_groups < 1)
    ):
        yield "buyGet", Fault.OUT_OF_RANGE
