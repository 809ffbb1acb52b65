from marketing.coupons.models.bills import Hold, Redemption, Reservation, Reversal
from marketing.coupons.models.codes import CodeBatch, CouponCode
from marketing.coupons.models.offers import (
    CatalogueMark,
    Offer,
    OfferKind,
    OfferRevision,
    UsePeriod,
)
from marketing.coupons.models.settings import CounterSettings
from marketing.coupons.models.uses import CustomerUse, OfferUse

__all__ = [
    "CatalogueMark",
    "CodeBatch",
    "CounterSettings",
    "CouponCode",
    "CustomerUse",
    "Hold",
    "Offer",
    "OfferKind",
    "OfferRevision",
    "OfferUse",
    "Redemption",
    "Reservation",
    "Reversal",
    "UsePeriod",
]
