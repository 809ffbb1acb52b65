"""Refusals of the counter, with Module 11's codes (030-035) and what was added in its tens."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from marketing.core.errors import Conflict, DomainError
from marketing.coupons.pricing.reasons import Reason
from marketing.coupons.pricing.validity import InvalidReason, first_invalid
from marketing.coupons.pricing.wire_reasons import reason_on_wire


class InvalidCouponCode(DomainError):
    code, name, http_status = "MARKETING_030", "INVALID_COUPON_CODE", 404
    default_message = _("There is no such code. See how it is spelled, or go on without it.")


class CouponExpired(DomainError):
    code, name, http_status = "MARKETING_031", "COUPON_EXPIRED", 409
    default_message = _("The offer does not hold now. Go on without it.")


class CouponMaxUses(DomainError):
    code, name, http_status = "MARKETING_032", "COUPON_MAX_USES", 409
    default_message = _(
        "The offer has been used, or has given, as much as it may. Go on without it."
    )


class CouponCustomerLimit(DomainError):
    code, name, http_status = "MARKETING_033", "COUPON_CUSTOMER_LIMIT", 409
    default_message = _("The customer has used the offer as often as she may. Go on without it.")


class CouponMinOrder(DomainError):
    code, name, http_status = "MARKETING_034", "COUPON_MIN_ORDER", 409
    default_message = _(
        "The bill is below what the offer asks for. Add something, or go on without it."
    )


class CouponNotEligible(DomainError):
    code, name, http_status = "MARKETING_035", "COUPON_NOT_ELIGIBLE", 409
    default_message = _("The offer is not for this bill. Go on without it.")


class QuoteChanged(Conflict):
    """`details["quote"]` and `details["quoteHash"]` are what holds now, `priced` all of it."""

    code, name = "MARKETING_036", "QUOTE_CHANGED"
    default_message = _("The price has changed; show the new one first.")

    def __init__(self, priced: Any, **said: Any) -> None:
        self.priced = priced
        super().__init__(**said)


class ReservationExpired(DomainError):
    code, name, http_status = "MARKETING_037", "RESERVATION_EXPIRED", 409
    default_message = _(
        "The reservation is over. Price the bill again: what she gets now may differ."
    )


class ReservationOver(Conflict):
    """`details["state"]` says what became of it."""

    code, name = "MARKETING_038", "RESERVATION_OVER"
    default_message = _(
        "The reservation was released or redeemed already. Price the bill again to make a new one."
    )


class MoreThanSold(DomainError):
    """`details["left"]` maps each line at fault to the units that can still be returned."""

    code, name, http_status = "MARKETING_039", "MORE_THAN_SOLD", 409
    default_message = _(
        "More would be returned than was sold. Return no more than is left of each line."
    )


class Busy(DomainError):
    """Nothing was done; the same call may be made again."""

    code, name, http_status = "MARKETING_503", "BUSY", 503
    default_message = _("Busy just now; try again shortly.")

    def __init__(self) -> None:
        super().__init__(details={"retryAfter": 1})


_BY_REASON: dict[InvalidReason, type[DomainError]] = {
    InvalidReason.INVALID_CODE: InvalidCouponCode,
    InvalidReason.EXPIRED: CouponExpired,
    InvalidReason.MAX_USES_REACHED: CouponMaxUses,
    InvalidReason.CUSTOMER_LIMIT_REACHED: CouponCustomerLimit,
    InvalidReason.MIN_ORDER_NOT_MET: CouponMinOrder,
}


def refusal_of(reasons: Iterable[Reason], *, code: str = "", offer: str = "") -> DomainError:
    """The error that tells the first of `reasons` in Module 11's order; `details` has them all, as
    a quote has them."""
    reasons = tuple(reasons)
    first = first_invalid(reasons) or InvalidReason.NOT_ELIGIBLE
    details = {
        "invalidReason": first.value,
        "reasons": [reason_on_wire(why) for why in reasons],
    }
    if code:
        details["code"] = code
    if offer:
        details["offerId"] = offer
    return _BY_REASON.get(first, CouponNotEligible)(details=details)
