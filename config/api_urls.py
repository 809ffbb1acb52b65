from django.urls import include, path

urlpatterns = [
    path("", include("billing_bridge.api_urls")),
    path("", include("marketing.campaigns.api_urls")),
    path("", include("marketing.followups.api_urls")),
    path("", include("marketing.referrals.api_urls")),
    path("", include("marketing.loyalty.api_urls")),
    path("", include("marketing.coupons.api_urls")),
    path("", include("marketing.delivery.api_urls")),
    path("", include("marketing.segments.api_urls")),
    path("", include("marketing.content.api_urls")),
    path("", include("marketing.policy.api_urls")),
    path("", include("customers.api_urls")),
]
