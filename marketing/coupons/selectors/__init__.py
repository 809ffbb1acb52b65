from marketing.coupons.selectors.history import history_of, last_change
from marketing.coupons.selectors.names import names_of
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
from marketing.coupons.selectors.sample_bill import sample_bill, usual_services
from marketing.coupons.selectors.simulation import simulate

__all__ = [
    "Priced",
    "body_of",
    "coupon_of",
    "get_offer_for_actor",
    "history_of",
    "last_change",
    "names_of",
    "offers_for_actor",
    "price_bill",
    "redemptions_of",
    "replay",
    "sample_bill",
    "simulate",
    "terms_of",
    "uses_of",
    "usual_services",
    "validate_code",
]
