from django.urls import path

from marketing.coupons.views import cards, codes, detail, editor, listing, settings

urlpatterns = [
    path("offers", listing.offer_list, name="offer-list"),
    path("offers/stacking", listing.offer_stacking, name="offer-stacking"),
    path("offers/new", editor.offer_new, name="offer-new"),
    path("offers/sample", editor.offer_sample, name="offer-sample"),
    path("offers/cost", editor.offer_cost, name="offer-cost"),
    path("offers/<uuid:pk>", detail.offer_detail, name="offer-detail"),
    path("offers/<uuid:pk>/edit", editor.offer_edit, name="offer-edit"),
    path("offers/<uuid:pk>/switch", detail.offer_switch, name="offer-switch"),
    path("offers/<uuid:pk>/cost", detail.offer_past_cost, name="offer-past-cost"),
    path("offers/<uuid:pk>/redemptions", detail.offer_redemptions, name="offer-redemptions"),
    path("offers/<uuid:pk>/codes", codes.offer_codes, name="offer-codes"),
    path(
        "offers/<uuid:pk>/batches/<uuid:batch>/revoke",
        codes.batch_revoke,
        name="offer-batch-revoke",
    ),
    path(
        "offers/<uuid:pk>/batches/<uuid:batch>/download",
        codes.batch_download,
        name="offer-batch-download",
    ),
    path("settings/counter", settings.counter_settings, name="counter-settings"),
    path("offers/<uuid:pk>/codes/<uuid:code>/card.pdf", cards.card, name="offer-card"),
    path(
        "offers/<uuid:pk>/codes/<uuid:code>/card.<slug:kind>",
        cards.card_image,
        name="offer-card-image",
    ),
    path("offers/<uuid:pk>/batches/<uuid:batch>/cards.pdf", cards.batch_cards, name="offer-cards"),
]
