from django.urls import path

from marketing.referrals.api import (
    ApplyReferral,
    CustomerReferralCode,
    ReferralConfigView,
    ReferralLeaderboard,
    Referrals,
)

urlpatterns = [
    path("referrals", Referrals.as_view(), name="api-referrals"),
    path("referrals/config", ReferralConfigView.as_view(), name="api-referral-config"),
    path("referrals/apply", ApplyReferral.as_view(), name="api-referral-apply"),
    path("referrals/leaderboard", ReferralLeaderboard.as_view(), name="api-referral-leaderboard"),
    path(
        "customers/<uuid:pk>/referral-code",
        CustomerReferralCode.as_view(),
        name="api-customer-referral-code",
    ),
]
