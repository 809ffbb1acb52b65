from marketing.coupons.models.bills import Hold, Redemption, Reservation, Reversal
from marketing.coupons.models.codes import CodeBatch, CouponCode
from marketing.coupons.models.offers import CatalogueMark, Offer, OfferRevision
from marketing.coupons.models.uses import CustomerUse, OfferUse

__all__ = [
    "CatalogueMark",
    "CodeBatch",
    "CouponCode",
    "CustomerUse",
    "Hold",
    "Offer",
    "OfferRevision",
    "OfferUse",
    "Redemption",
    "Reservation",
    "Reversal",
]
