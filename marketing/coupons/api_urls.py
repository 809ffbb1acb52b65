from django.urls import path

from marketing.coupons.api import coupons, offers, settings

urlpatterns = [
    path("coupons", coupons.Coupons.as_view(), name="api-coupons"),
    path("coupons/validate", coupons.ValidateCoupon.as_view(), name="api-coupon-validate"),
    path("coupons/<uuid:pk>", coupons.OneCoupon.as_view(), name="api-coupon"),
    path(
        "coupons/<uuid:pk>/redemptions",
        coupons.CouponRedemptions.as_view(),
        name="api-coupon-redemptions",
    ),
    path("offers", offers.Offers.as_view(), name="api-offers"),
    path("offers/<uuid:pk>", offers.OneOffer.as_view(), name="api-offer"),
    path("offers/<uuid:pk>/codes", offers.OfferCodes.as_view(), name="api-offer-codes"),
    path("offers/<uuid:pk>/codes/<uuid:code>", offers.OfferCode.as_view(), name="api-offer-code"),
    path("offers/<uuid:pk>/batches", offers.OfferBatches.as_view(), name="api-offer-batches"),
    path(
        "offers/<uuid:pk>/batches/<uuid:batch>",
        offers.OfferBatch.as_view(),
        name="api-offer-batch",
    ),
    path("counter/settings", settings.CounterSettingsView.as_view(), name="api-counter-settings"),
]
