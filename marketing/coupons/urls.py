from django.urls import path

from marketing.coupons.views import cards, settings

urlpatterns = [
    path("settings/counter", settings.counter_settings, name="counter-settings"),
    path("offers/<uuid:pk>/codes/<uuid:code>/card.pdf", cards.card, name="offer-card"),
    path(
        "offers/<uuid:pk>/codes/<uuid:code>/card.<slug:kind>",
        cards.card_image,
        name="offer-card-image",
    ),
    path("offers/<uuid:pk>/batches/<uuid:batch>/cards.pdf", cards.batch_cards, name="offer-cards"),
]
