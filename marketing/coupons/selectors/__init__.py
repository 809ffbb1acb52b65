from marketing.coupons.selectors.bills import require_reservation
from marketing.coupons.selectors.checking import Checked, check_code
from marketing.coupons.selectors.history import history_of, last_change
from marketing.coupons.selectors.named import require_named
from marketing.coupons.selectors.names import names_of
from marketing.coupons.selectors.offers import (
    batches_of,
    body_of,
    codes_of,
    coupon_of,
    coupons_of,
    get_batch,
    get_code,
    get_offer_for_actor,
    get_offer_with_codes,
    offers_for_actor,
    redemptions_of,
    shows_codes,
    terms_of,
    uses_of,
)
from marketing.coupons.selectors.prices import Priced, price_bill
from marketing.coupons.selectors.replay import replay
from marketing.coupons.selectors.sample_bill import sample_bill, usual_services
from marketing.coupons.selectors.settings import counter_settings
from marketing.coupons.selectors.simulation import simulate

__all__ = [
    "Checked",
    "Priced",
    "batches_of",
    "body_of",
    "check_code",
    "codes_of",
    "counter_settings",
    "coupon_of",
    "coupons_of",
    "get_batch",
    "get_code",
    "get_offer_for_actor",
    "get_offer_with_codes",
    "history_of",
    "last_change",
    "names_of",
    "offers_for_actor",
    "price_bill",
    "redemptions_of",
    "replay",
    "require_named",
    "require_reservation",
    "sample_bill",
    "shows_codes",
    "simulate",
    "terms_of",
    "uses_of",
    "usual_services",
]
