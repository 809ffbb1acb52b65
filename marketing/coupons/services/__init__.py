from marketing.coupons.services.batches import (
    begin_own_codes,
    issue_codes,
    make_codes,
    make_next_part,
    make_part,
    revoke_codes,
)
from marketing.coupons.services.bills import find_bills, stand_for
from marketing.coupons.services.copying import copy_next_part
from marketing.coupons.services.expiry import expire_due
from marketing.coupons.services.issuing import (
    issue_to_people,
    revoke_unused_codes,
    sample_code,
    take_back_codes,
)
from marketing.coupons.services.locks import counter_call
from marketing.coupons.services.naming import name_customer
from marketing.coupons.services.offers import (
    create_coupon,
    create_offer,
    deactivate_offer,
    may_change,
    read_terms,
    update_offer,
)
from marketing.coupons.services.promises import sold_of
from marketing.coupons.services.redemptions import Redeemed, redeem, redeem_found
from marketing.coupons.services.reservations import Reserved, release, renew, reserve
from marketing.coupons.services.reversals import lock_redeemed, reverse
from marketing.coupons.services.settings import update_counter_settings
from marketing.coupons.services.unreserved import record_bill, redeem_bill
from marketing.coupons.services.wrong_codes import note_codes, require_patience

__all__ = [
    "Redeemed",
    "Reserved",
    "begin_own_codes",
    "copy_next_part",
    "counter_call",
    "create_coupon",
    "create_offer",
    "deactivate_offer",
    "expire_due",
    "find_bills",
    "issue_codes",
    "issue_to_people",
    "lock_redeemed",
    "make_codes",
    "make_next_part",
    "make_part",
    "may_change",
    "name_customer",
    "note_codes",
    "read_terms",
    "record_bill",
    "redeem",
    "redeem_bill",
    "redeem_found",
    "release",
    "renew",
    "require_patience",
    "reserve",
    "reverse",
    "revoke_codes",
    "revoke_unused_codes",
    "sample_code",
    "sold_of",
    "stand_for",
    "take_back_codes",
    "update_counter_settings",
    "update_offer",
]
