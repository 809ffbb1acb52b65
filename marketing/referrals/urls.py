from django.urls import path

from marketing.referrals.views import public, referrals

urlpatterns = [
    path("referrals", referrals.referral_list, name="referral-list"),
    path("referrals/review", referrals.review, name="referral-review"),
    path("referrals/leaderboard", referrals.leaderboard, name="referral-leaderboard"),
    path("referrals/settings", referrals.programme, name="referral-settings"),
    path("referrals/<uuid:pk>", referrals.detail, name="referral-detail"),
    path("referrals/<uuid:pk>/approve", referrals.approve, name="referral-approve"),
    path("referrals/<uuid:pk>/reject", referrals.reject, name="referral-reject"),
    path("customers/<uuid:customer>/referral-code", referrals.make_code, name="referral-code"),
    path("f/<slug:chain>/<str:code>", public.friend_page, name="referral-page"),
    path("f/<slug:chain>/<str:code>/qr.svg", public.code_picture, name="referral-picture"),
]
