"""What is wrong with terms, field by field, in the API's names; forms and API share it."""

from collections.abc import Iterator
from itertools import pairwise

from marketing.coupons.pricing.faults import HIGHEST, HIGHEST_BUDGET, Fault, FaultCode
from marketing.coupons.pricing.paise import WHOLE
from marketing.coupons.pricing.terms import Kind, OfferTerms, Scope, SpendTier


def terms_faults(terms: OfferTerms) -> list[Fault]:
    """All that keeps `terms` from being an offer; empty when nothing does."""
    return [Fault(field, code) for field, code in _faults(terms)]


def _faults(terms: OfferTerms) -> Iterator[tuple[str, FaultCode]]:
    yield from _worth(terms)
    yield from _scope(terms)
    table, limits, caps = terms.timetable, terms.limits, terms.caps
    if table.starts is not None and table.ends is not None and table.ends <= table.starts:
        yield "validUntil", FaultCode.ENDS_BEFORE_START
    if any(not 0 <= one.start < 1440 or not 0 <= one.until <= 1440 for one in table.hours):
        yield "hours", FaultCode.OUT_OF_RANGE
    if any(span.last < span.first for span in table.blackouts):
        yield "blackouts", FaultCode.ENDS_BEFORE_START
    for name, count in (
        ("maxTotalUses", limits.total),
        ("maxUsesPerCustomer", limits.per_customer),
        ("maxUsesPerBranch", limits.per_branch),
        ("maxUsesPerPeriod", limits.per_period),
        ("nthVisit", terms.audience.nth_visit),
    ):
        if count is not None and count < 1:
            yield name, FaultCode.OUT_OF_RANGE
    for name, amount, most in (
        ("budget", limits.budget, HIGHEST_BUDGET),
        ("maxDiscountAmount", caps.bill, HIGHEST),
        ("maxDiscountPerLine", caps.line, HIGHEST),
    ):
        if amount is not None and not 0 < amount <= most:
            yield name, FaultCode.OUT_OF_RANGE
    least, largest = terms.thresholds.min_amount, terms.thresholds.max_amount
    for name, amount in (
        ("minOrderAmount", least),
        ("maxOrderAmount", largest),
        ("floorPrice", caps.floor_price),
    ):
        if amount is not None and not 0 <= amount <= HIGHEST:
            yield name, FaultCode.OUT_OF_RANGE
    if least is not None and largest is not None and largest < least:
        yield "maxOrderAmount", FaultCode.OUT_OF_RANGE
    if terms.thresholds.min_quantity < 0:
        yield "minQuantity", FaultCode.OUT_OF_RANGE


def _worth(terms: OfferTerms) -> Iterator[tuple[str, FaultCode]]:
    """What the kind gives."""
    kind = terms.kind
    if kind is Kind.PERCENTAGE and not 0 < terms.rate_bp <= WHOLE:
        yield "discountValue", FaultCode.OUT_OF_RANGE
    if kind is Kind.FLAT and not 0 < terms.amount <= HIGHEST:
        yield "discountValue", FaultCode.OUT_OF_RANGE
    if kind is Kind.FIXED_PRICE and not 0 <= terms.amount <= HIGHEST:
        yield "discountValue", FaultCode.OUT_OF_RANGE
    if kind is Kind.FREE_SERVICE:
        if not terms.selection.services and not terms.selection.categories:
            yield "freeServiceId", FaultCode.REQUIRED
        if terms.free_units < 1:
            yield "freeUnits", FaultCode.OUT_OF_RANGE
    if kind is Kind.SPEND_TIERS:
        yield from _tiers(terms.tiers)
    if kind is Kind.BUNDLE:
        yield from _bundle(terms)
    if kind is Kind.BUY_X_GET_Y:
        yield from _buy_get(terms)


def _scope(terms: OfferTerms) -> Iterator[tuple[str, FaultCode]]:
    shares = terms.kind is Kind.PERCENTAGE or any(tier.rate_bp for tier in terms.tiers)
    if terms.scope is Scope.UNIT and shares:
        yield "scope", FaultCode.NOT_FOR_KIND


def _tiers(tiers: tuple[SpendTier, ...]) -> Iterator[tuple[str, FaultCode]]:
    if not tiers:
        yield "tiers", FaultCode.REQUIRED
        return
    by_share = [tier for tier in tiers if tier.rate_bp]
    by_amount = [tier for tier in tiers if tier.amount]
    if by_share and by_amount:
        yield "tiers", FaultCode.MIXED
        return
    if len(by_share) + len(by_amount) < len(tiers):
        yield "tiers", FaultCode.REQUIRED
    if any(not 0 <= tier.rate_bp <= WHOLE or tier.amount < 0 for tier in tiers):
        yield "tiers", FaultCode.OUT_OF_RANGE
    if any(not 0 <= tier.threshold <= HIGHEST for tier in tiers):
        yield "tiers", FaultCode.OUT_OF_RANGE
    for lower, higher in pairwise(tiers):
        if higher.threshold <= lower.threshold or (
            higher.rate_bp < lower.rate_bp or higher.amount < lower.amount
        ):
            yield "tiers", FaultCode.NOT_RISING
            return


def _bundle(terms: OfferTerms) -> Iterator[tuple[str, FaultCode]]:
    bundle = terms.bundle
    if bundle is None or not bundle.parts:
        yield "bundle", FaultCode.REQUIRED
        return
    if not 0 <= bundle.price <= HIGHEST:
        yield "discountValue", FaultCode.OUT_OF_RANGE
    if any(part.quantity < 1 for part in bundle.parts) or (
        bundle.max_groups is not None and bundle.max_groups < 1
    ):
        yield "bundle", FaultCode.OUT_OF_RANGE


def _buy_get(terms: OfferTerms) -> Iterator[tuple[str, FaultCode]]:
    deal = terms.buy_get
    if deal is None:
        yield "buyGet", FaultCode.REQUIRED
        return
    if deal.buy_quantity and deal.buy_amount:
        yield "buyGet", FaultCode.MIXED
    if (
        deal.buy_quantity < 0
        or not 0 <= deal.buy_amount <= HIGHEST
        or deal.get_quantity < 1
        or not 0 < deal.rate_bp <= WHOLE
        or (deal.max_groups is not None and deal.max_groups < 1)
    ):
        yield "buyGet", FaultCode.OUT_OF_RANGE
