from marketing.coupons.selectors.bills import require_reservation
from marketing.coupons.selectors.offers import (
    body_of,
    coupon_of,
    get_offer_for_actor,
    offers_for_actor,
    redemptions_of,
    terms_of,
    uses_of,
)
from marketing.coupons.selectors.prices import Priced, price_bill, validate_code
from marketing.coupons.selectors.replay import replay

__all__ = [
    "Priced",
    "body_of",
    "coupon_of",
    "get_offer_for_actor",
    "offers_for_actor",
    "price_bill",
    "redemptions_of",
    "replay",
    "require_reservation",
    "terms_of",
    "uses_of",
    "validate_code",
]
