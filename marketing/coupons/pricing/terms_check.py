"""What is wrong with terms, field by field, in the API's names; forms and API share it."""

from collections.abc import Iterator
from itertools import pairwise

from marketing.coupons.pricing.faults import (
    HIGHEST,
    HIGHEST_BUDGET,
    Fault,
    FaultCode,
    amount_outside,
    count_outside,
    share_outside,
)
from marketing.coupons.pricing.paise import WHOLE
from marketing.coupons.pricing.terms import Kind, OfferTerms, Scope, SpendTier


def terms_faults(terms: OfferTerms) -> list[Fault]:
    """All that keeps `terms` from being an offer; empty when nothing does."""
    return list(_faults(terms))


def _faults(terms: OfferTerms) -> Iterator[Fault]:
    yield from _worth(terms)
    yield from _scope(terms)
    table, limits, caps = terms.timetable, terms.limits, terms.caps
    if table.starts is not None and table.ends is not None and table.ends <= table.starts:
        yield Fault("validUntil", FaultCode.ENDS_BEFORE_START)
    if any(not 0 <= one.start < 1440 or not 0 <= one.until <= 1440 for one in table.hours):
        yield Fault("hours", FaultCode.OUT_OF_RANGE)
    if any(span.last < span.first for span in table.blackouts):
        yield Fault("blackouts", FaultCode.ENDS_BEFORE_START)
    for name, count in (
        ("maxTotalUses", limits.total),
        ("maxUsesPerCustomer", limits.per_customer),
        ("maxUsesPerBranch", limits.per_branch),
        ("maxUsesPerPeriod", limits.per_period),
        ("nthVisit", terms.audience.nth_visit),
    ):
        if count is not None and count < 1:
            yield count_outside(name)
    for name, amount, most in (
        ("budget", limits.budget, HIGHEST_BUDGET),
        ("maxDiscountAmount", caps.bill, HIGHEST),
        ("maxDiscountPerLine", caps.line, HIGHEST),
    ):
        if amount is not None and not 0 < amount <= most:
            yield amount_outside(name, least=1, most=most)
    least, largest = terms.thresholds.min_amount, terms.thresholds.max_amount
    for name, amount in (
        ("minOrderAmount", least),
        ("maxOrderAmount", largest),
        ("floorPrice", caps.floor_price),
    ):
        if amount is not None and not 0 <= amount <= HIGHEST:
            yield amount_outside(name)
    if least is not None and largest is not None and largest < least:
        yield amount_outside("maxOrderAmount", least=least)
    if terms.thresholds.min_quantity < 0:
        yield count_outside("minQuantity", least=0)


def _worth(terms: OfferTerms) -> Iterator[Fault]:
    """What the kind gives."""
    kind = terms.kind
    if kind is Kind.PERCENTAGE and not 0 < terms.rate_bp <= WHOLE:
        yield share_outside("discountValue")
    if kind is Kind.FLAT and not 0 < terms.amount <= HIGHEST:
        yield amount_outside("discountValue", least=1)
    if kind is Kind.FIXED_PRICE and not 0 <= terms.amount <= HIGHEST:
        yield amount_outside("discountValue")
    if kind is Kind.FREE_SERVICE:
        if not terms.selection.services and not terms.selection.categories:
            yield Fault("freeServiceId", FaultCode.REQUIRED)
        if terms.free_units < 1:
            yield count_outside("freeUnits")
    if kind is Kind.SPEND_TIERS:
        yield from _tiers(terms.tiers)
    if kind is Kind.BUNDLE:
        yield from _bundle(terms)
    if kind is Kind.BUY_X_GET_Y:
        yield from _buy_get(terms)


def _scope(terms: OfferTerms) -> Iterator[Fault]:
    shares = terms.kind is Kind.PERCENTAGE or any(tier.rate_bp for tier in terms.tiers)
    if terms.scope is Scope.UNIT and shares:
        yield Fault("scope", FaultCode.NOT_FOR_KIND)


def _tiers(tiers: tuple[SpendTier, ...]) -> Iterator[Fault]:
    if not tiers:
        yield Fault("tiers", FaultCode.REQUIRED)
        return
    by_share = [tier for tier in tiers if tier.rate_bp]
    by_amount = [tier for tier in tiers if tier.amount]
    if by_share and by_amount:
        yield Fault("tiers", FaultCode.MIXED)
        return
    if len(by_share) + len(by_amount) < len(tiers):
        yield Fault("tiers", FaultCode.REQUIRED)
    for place, tier in enumerate(tiers):
        yield from _tier(tier, f"tiers.{place}.")
    for lower, higher in pairwise(tiers):
        if higher.threshold <= lower.threshold or (
            higher.rate_bp < lower.rate_bp or higher.amount < lower.amount
        ):
            yield Fault("tiers", FaultCode.NOT_RISING)
            return


def _tier(tier: SpendTier, path: str) -> Iterator[Fault]:
    if not 0 <= tier.threshold <= HIGHEST:
        yield amount_outside(f"{path}from")
    if not 0 <= tier.rate_bp <= WHOLE:
        yield share_outside(f"{path}percent")
    if not 0 <= tier.amount <= HIGHEST:
        yield amount_outside(f"{path}amount", least=1)
    elif tier.amount > tier.threshold:
        yield Fault(f"{path}amount", FaultCode.GIVES_MORE)


def _bundle(terms: OfferTerms) -> Iterator[Fault]:
    bundle = terms.bundle
    if bundle is None or not bundle.parts:
        yield Fault("bundle", FaultCode.REQUIRED)
        return
    if not 0 <= bundle.price <= HIGHEST:
        yield amount_outside("discountValue")
    if any(part.quantity < 1 for part in bundle.parts) or (
        bundle.max_groups is not None and bundle.max_groups < 1
    ):
        yield count_outside("bundle")


def _buy_get(terms: OfferTerms) -> Iterator[Fault]:
    deal = terms.buy_get
    if deal is None:
        yield Fault("buyGet", FaultCode.REQUIRED)
        return
    if deal.buy_quantity and deal.buy_amount:
        yield Fault("buyGet", FaultCode.MIXED)
    if (
        deal.buy_quantity < 0
        or not 0 <= deal.buy_amount <= HIGHEST
        or deal.get_quantity < 1
        or not 0 < deal.rate_bp <= WHOLE
        or (deal.max_groups is not None and deal.max_groups < 1)
    ):
        yield Fault("buyGet", FaultCode.OUT_OF_RANGE)
