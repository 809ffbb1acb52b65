from marketing.referrals.models.notices import NoticeKind, NoticeTemplate, ReferralNotice
from marketing.referrals.models.programme import ReferralProgramme, RewardOn, RewardType
from marketing.referrals.models.referrals import (
    Referral,
    ReferralCode,
    ReferralHold,
    ReferralStep,
    ReferralTouch,
)
from marketing.referrals.models.tokens import SeenToken

__all__ = [
    "NoticeKind",
    "NoticeTemplate",
    "Referral",
    "ReferralCode",
    "ReferralHold",
    "ReferralNotice",
    "ReferralProgramme",
    "ReferralStep",
    "ReferralTouch",
    "RewardOn",
    "RewardType",
    "SeenToken",
]
