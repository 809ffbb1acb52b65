from marketing.referrals.models.programme import ReferralProgramme, RewardOn, RewardType
from marketing.referrals.models.referrals import (
    Referral,
    ReferralCode,
    ReferralHold,
    ReferralStep,
    ReferralTouch,
)

__all__ = [
    "Referral",
    "ReferralCode",
    "ReferralHold",
    "ReferralProgramme",
    "ReferralStep",
    "ReferralTouch",
    "RewardOn",
    "RewardType",
]
