"""Terms made ready once, so that a quote need not look at them anew."""

from collections.abc import Iterable

from marketing.coupons.pricing.terms import (
    Audience,
    Basis,
    Kind,
    Limits,
    OfferTerms,
    Places,
    Scope,
    Selection,
    SpendTier,
    Stacking,
    Timetable,
)

ITEM, GROUP, BILL_SHARE, BILL_AMOUNT = 1, 2, 3, 4

OrderKey = tuple[int, int, str]


class CompiledOffer:
    """An offer with what follows from its terms. Immutable by habit; safe to share and keep.

    `order` is its place of application: stage, priority (the higher first), id.
    """

    __slots__ = (
        "alone",
        "caps_lines",
        "has_conditions_of_bill",
        "id",
        "is_limited",
        "is_placed",
        "is_timed",
        "order",
        "picks",
        "running",
        "selective",
        "shares_lines",
        "stage",
        "terms",
        "tiers",
        "whole_bill",
    )

    def __init__(self, terms: OfferTerms) -> None:
        self.terms = terms
        self.id = terms.id
        self.tiers: tuple[SpendTier, ...] = tuple(
            sorted(terms.tiers, key=lambda tier: tier.threshold, reverse=True)
        )
        self.stage = _stage(terms)
        self.order: OrderKey = (self.stage, -terms.combining.priority, terms.id)
        self.alone = terms.combining.stacking is Stacking.NONE
        self.shares_lines = terms.combining.stacking is Stacking.ITEM
        limits = terms.thresholds
        self.running = limits.basis is Basis.RUNNING and (
            limits.min_amount is not None or limits.max_amount is not None or bool(self.tiers)
        )
        self.has_conditions_of_bill = (
            limits.min_amount is not None
            or limits.max_amount is not None
            or limits.min_quantity > 1
            or limits.requires is not None
        )
        self.is_limited = terms.limits != Limits()
        self.is_placed = terms.places != Places()
        self.is_timed = terms.timetable != Timetable()
        self.selective = terms.audience != Audience()
        self.caps_lines = terms.caps.line is not None or terms.caps.floor_price > 0
        self.whole_bill = terms.selection == Selection() and not terms.skip_addons
        # Closing lines to such an offer may raise what it gives: dearer units move up.
        self.picks = self.stage == GROUP or terms.kind is Kind.FREE_SERVICE


def combine(one: CompiledOffer, other: CompiledOffer) -> bool:
    """Whether both may stand on one bill: neither alone, and tags allowed both ways."""
    if one.alone or other.alone:
        return False
    mine, theirs = one.terms.combining, other.terms.combining
    return (mine.combines_with is None or not mine.combines_with.isdisjoint(theirs.tags)) and (
        theirs.combines_with is None or not theirs.combines_with.isdisjoint(mine.tags)
    )


class Catalogue:
    """The live offers of a chain, compiled; keep one until an offer changes."""

    __slots__ = ("automatic", "by_id")

    def __init__(self, offers: Iterable[OfferTerms]) -> None:
        compiled = sorted((CompiledOffer(terms) for terms in offers), key=lambda offer: offer.id)
        self.by_id = {offer.id: offer for offer in compiled}
        self.automatic = tuple(offer for offer in compiled if offer.terms.automatic)


def _stage(terms: OfferTerms) -> int:
    if terms.kind in (Kind.BUY_X_GET_Y, Kind.BUNDLE):
        return GROUP
    if terms.kind in (Kind.FIXED_PRICE, Kind.FREE_SERVICE) or terms.scope is not Scope.BILL:
        return ITEM
    if terms.kind is Kind.PERCENTAGE or any(tier.rate_bp for tier in terms.tiers):
        return BILL_SHARE
    return BILL_AMOUNT
