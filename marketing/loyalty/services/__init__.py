"""The only writers of points. What belongs to a bill is called in the bill's own transaction."""

from marketing.loyalty.services.adjusting import adjust_limit, adjust_points
from marketing.loyalty.services.birthday_codes import give_birthday_codes
from marketing.loyalty.services.bonuses import (
    JOINED_LATELY,
    give_birthday_bonuses,
    give_review_bonuses,
    give_signup_bonuses,
)
from marketing.loyalty.services.earning import (
    BONUSES,
    BillLine,
    earn_points,
    give_points,
    grant_bonus,
)
from marketing.loyalty.services.entering import Entered, enter
from marketing.loyalty.services.erasing import erase_points
from marketing.loyalty.services.giving_back import reverse_spend
from marketing.loyalty.services.merging import merge_points, restore_points
from marketing.loyalty.services.posting import Source, balances_of
from marketing.loyalty.services.programme import (
    delete_tier,
    set_rates,
    set_tier,
    setting_names,
    update_programme,
)
from marketing.loyalty.services.proving import DIFFERS, prove_ledger
from marketing.loyalty.services.settling import activate_due, expire_due, void_overdue_holds
from marketing.loyalty.services.spending import (
    hold_points,
    post_hold,
    renew_hold,
    void_hold,
)
from marketing.loyalty.services.taking_back import reverse_earn
from marketing.loyalty.services.tiers import end_periods

__all__ = [
    "BONUSES",
    "DIFFERS",
    "JOINED_LATELY",
    "BillLine",
    "Entered",
    "Source",
    "activate_due",
    "adjust_limit",
    "adjust_points",
    "balances_of",
    "delete_tier",
    "earn_points",
    "end_periods",
    "enter",
    "erase_points",
    "expire_due",
    "give_birthday_bonuses",
    "give_birthday_codes",
    "give_points",
    "give_review_bonuses",
    "give_signup_bonuses",
    "grant_bonus",
    "hold_points",
    "merge_points",
    "post_hold",
    "prove_ledger",
    "renew_hold",
    "restore_points",
    "reverse_earn",
    "reverse_spend",
    "set_rates",
    "set_tier",
    "setting_names",
    "update_programme",
    "void_hold",
    "void_overdue_holds",
]
