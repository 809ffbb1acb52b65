"""The only writers of referrals. What belongs to a bill is called in the bill's transaction."""

from marketing.referrals.services.applying import (
    apply_code,
    leave_phone,
    note_click,
    require_place,
)
from marketing.referrals.services.bills import PaidBill, take_paid_bill, take_refund, visited
from marketing.referrals.services.choosing import choose_notices, configure
from marketing.referrals.services.codes import get_or_create_code, make_missing_codes
from marketing.referrals.services.entries import ENTRIES, watch_entries
from marketing.referrals.services.holds import hold_place, let_go
from marketing.referrals.services.notices import give_notices, mind_notices
from marketing.referrals.services.programme import (
    SETTINGS,
    ensure_programme,
    own_offers,
    update_programme,
)
from marketing.referrals.services.review import (
    COLLUSION,
    approve_referral,
    expire_unused,
    reject_referral,
    watch_collusion,
)
from marketing.referrals.services.rewards import approve_due, reward_due
from marketing.referrals.services.tokens import (
    LONGEST_TOKEN,
    drop_old_tokens,
    note_tokens,
    require_tokens,
    tokens_of,
)

__all__ = [
    "COLLUSION",
    "ENTRIES",
    "LONGEST_TOKEN",
    "SETTINGS",
    "PaidBill",
    "apply_code",
    "approve_due",
    "approve_referral",
    "choose_notices",
    "configure",
    "drop_old_tokens",
    "ensure_programme",
    "expire_unused",
    "get_or_create_code",
    "give_notices",
    "hold_place",
    "leave_phone",
    "let_go",
    "make_missing_codes",
    "mind_notices",
    "note_click",
    "note_tokens",
    "own_offers",
    "reject_referral",
    "require_place",
    "require_tokens",
    "reward_due",
    "take_paid_bill",
    "take_refund",
    "tokens_of",
    "update_programme",
    "visited",
    "watch_collusion",
    "watch_entries",
]
