"""Module 11's `coupons/validate` on the same engine: one reason, in its order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from marketing.coupons.pricing.answer import Verdict
from marketing.coupons.pricing.bill import Cart, CartLine, EnteredCode
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote
from marketing.coupons.pricing.facts import Customer, OfferUsage, Settings
from marketing.coupons.pricing.reasons import Reason, ReasonCode
from marketing.coupons.pricing.terms import Kind, OfferTerms, Selection


class InvalidReason(StrEnum):
    """Module 11's `invalidReason`s and what was added, in the order in which one is told."""

    INVALID_CODE = "invalid_code"
    EXPIRED = "expired"
    MAX_USES_REACHED = "max_uses_reached"
    CUSTOMER_LIMIT_REACHED = "customer_limit_reached"
    MIN_ORDER_NOT_MET = "min_order_not_met"
    BRANCH_NOT_ELIGIBLE = "branch_not_eligible"
    SERVICE_NOT_ELIGIBLE = "service_not_eligible"
    SEGMENT_NOT_ELIGIBLE = "segment_not_eligible"
    OPTED_OUT = "opted_out"
    NOT_ELIGIBLE = "not_eligible"


_TOLD_AS = {
    ReasonCode.CODE_UNKNOWN: InvalidReason.INVALID_CODE,
    ReasonCode.CODE_CHECK_FAILED: InvalidReason.INVALID_CODE,
    ReasonCode.CODE_REVOKED: InvalidReason.INVALID_CODE,
    ReasonCode.INACTIVE: InvalidReason.INVALID_CODE,
    ReasonCode.NOT_STARTED: InvalidReason.EXPIRED,
    ReasonCode.EXPIRED: InvalidReason.EXPIRED,
    ReasonCode.CODE_EXPIRED: InvalidReason.EXPIRED,
    ReasonCode.LIMIT_TOTAL: InvalidReason.MAX_USES_REACHED,
    ReasonCode.LIMIT_BRANCH: InvalidReason.MAX_USES_REACHED,
    ReasonCode.CODE_USED: InvalidReason.MAX_USES_REACHED,
    ReasonCode.BUDGET_LEFT: InvalidReason.MAX_USES_REACHED,
    ReasonCode.LIMIT_CUSTOMER: InvalidReason.CUSTOMER_LIMIT_REACHED,
    ReasonCode.LIMIT_PERIOD: InvalidReason.CUSTOMER_LIMIT_REACHED,
    ReasonCode.MIN_AMOUNT_SHORT: InvalidReason.MIN_ORDER_NOT_MET,
    ReasonCode.MIN_QUANTITY_SHORT: InvalidReason.MIN_ORDER_NOT_MET,
    ReasonCode.WRONG_BRANCH: InvalidReason.BRANCH_NOT_ELIGIBLE,
    ReasonCode.SERVICE_EXCLUDED: InvalidReason.SERVICE_NOT_ELIGIBLE,
    ReasonCode.REQUIRES_MISSING: InvalidReason.SERVICE_NOT_ELIGIBLE,
    ReasonCode.SEGMENT: InvalidReason.SEGMENT_NOT_ELIGIBLE,
    ReasonCode.OPTED_OUT: InvalidReason.OPTED_OUT,
}
_ORDER = {reason: place for place, reason in enumerate(InvalidReason)}


def first_invalid(reasons: Iterable[Reason]) -> InvalidReason | None:
    """The reason to tell: the first in Module 11's order; None where there are none."""
    told = (_TOLD_AS.get(why.code, InvalidReason.NOT_ELIGIBLE) for why in reasons)
    return min(told, key=_ORDER.__getitem__, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """`discount` is paise, 0 unless `valid`; `reasons` is the whole trace."""

    valid: bool
    discount: int = 0
    invalid_reason: InvalidReason | None = None
    reasons: tuple[Reason, ...] = ()


def validate(
    cart: Cart,
    terms: OfferTerms,
    code: EnteredCode,
    *,
    customer: Customer | None,
    usage: OfferUsage,
    settings: Settings,
) -> Validity:
    """Whether `code`, which opens `terms`, would apply to this bill if it were alone on it."""
    quoted = quote(
        replace(cart, codes=(code,)),
        Catalogue([replace(terms, automatic=False)]),
        customer=customer,
        usage={terms.id: usage},
        settings=settings,
    )
    (answer,) = quoted.codes
    if answer.verdict is Verdict.APPLIED:
        return Validity(valid=True, discount=quoted.discount)
    return Validity(
        valid=False, invalid_reason=first_invalid(answer.reasons), reasons=answer.reasons
    )


def validate_amount(
    cart: Cart,
    amount: int,
    services: Mapping[str, str],
    terms: OfferTerms,
    code: EnteredCode,
    *,
    customer: Customer | None,
    usage: OfferUsage,
    settings: Settings,
) -> Validity:
    """`validate` where only the order's amount (paise) is known; the lines of `cart` are not read.

    `services` (id to category) are those said to be ordered: as in Module 11 one eligible
    service makes the whole amount the base, and none said is not held against the coupon.
    Quantities cannot be judged and are not; what a kind that looks at units would give cannot
    be known and is 0, valid all the same.
    """
    of_units = terms.kind in _OF_UNITS
    thresholds = replace(terms.thresholds, min_quantity=0, requires=None)
    judged = replace(terms, thresholds=thresholds, skip_addons=False)
    if of_units:
        judged = replace(judged, kind=Kind.FLAT, amount=1, buy_get=None, bundle=None)
    if not services:
        judged = replace(judged, selection=Selection())
    service = _eligible(judged.selection, services)
    line = CartLine(
        number=1, service=service, category=services.get(service, ""), unit_price=amount
    )
    found = validate(
        replace(cart, lines=(line,)),
        judged,
        code,
        customer=customer,
        usage=usage,
        settings=settings,
    )
    return replace(found, discount=0) if of_units else found


_OF_UNITS = {Kind.FREE_SERVICE, Kind.FIXED_PRICE, Kind.BUY_X_GET_Y, Kind.BUNDLE}


def _eligible(selection: Selection, services: Mapping[str, str]) -> str:
    """A service that the selection holds, else any."""
    for service, category in sorted(services.items()):
        excluded = (
            service in selection.excluded_services or category in selection.excluded_categories
        )
        anything = not selection.services and not selection.categories
        if not excluded and (
            anything or service in selection.services or category in selection.categories
        ):
            return service
    return min(services, default="")
