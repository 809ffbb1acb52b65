from marketing.coupons.services.batches import (
    issue_codes,
    make_codes,
    make_next_part,
    make_part,
    revoke_codes,
)
from marketing.coupons.services.expiry import expire_due
from marketing.coupons.services.offers import (
    create_coupon,
    create_offer,
    deactivate_offer,
    may_change,
    read_terms,
    update_offer,
)
from marketing.coupons.services.redemptions import Redeemed, redeem, redeem_bill
from marketing.coupons.services.reservations import Reserved, release, renew, reserve
from marketing.coupons.services.reversals import reverse
from marketing.coupons.services.settings import update_counter_settings
from marketing.coupons.services.wrong_codes import note_codes, require_patience

__all__ = [
    "Redeemed",
    "Reserved",
    "create_coupon",
    "create_offer",
    "deactivate_offer",
    "expire_due",
    "issue_codes",
    "make_codes",
    "make_next_part",
    "make_part",
    "may_change",
    "note_codes",
    "read_terms",
    "redeem",
    "redeem_bill",
    "release",
    "renew",
    "require_patience",
    "reserve",
    "reverse",
    "revoke_codes",
    "update_counter_settings",
    "update_offer",
]
