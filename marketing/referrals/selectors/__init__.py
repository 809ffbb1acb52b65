from marketing.referrals.selectors.judging import (
    Fault,
    FoundCode,
    Friend,
    find_code,
    judge,
    looks_like_code,
)
from marketing.referrals.selectors.notices import (
    chosen_notices,
    fits_notices,
    messages_for_notices,
)
from marketing.referrals.selectors.referrals import (
    Brought,
    brought_by,
    code_of,
    get_referral_for_actor,
    leaderboard,
    programme,
    referrals_for_actor,
    reward_words,
    share_text,
    steps_of,
    with_names,
)
from marketing.referrals.selectors.welcome import Welcome, welcome_of

__all__ = [
    "Brought",
    "Fault",
    "FoundCode",
    "Friend",
    "Welcome",
    "brought_by",
    "chosen_notices",
    "code_of",
    "find_code",
    "fits_notices",
    "get_referral_for_actor",
    "judge",
    "leaderboard",
    "looks_like_code",
    "messages_for_notices",
    "programme",
    "referrals_for_actor",
    "reward_words",
    "share_text",
    "steps_of",
    "welcome_of",
    "with_names",
]
