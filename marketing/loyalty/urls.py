from django.urls import path

from marketing.loyalty.views import customer, expiring, ledger, settings

urlpatterns = [
    path("points", ledger.ledger, name="points-ledger"),
    path("points/expiring", expiring.expiring, name="points-expiring"),
    path("points/settings", settings.programme, name="points-settings"),
    path("points/settings/rates", settings.rates, name="points-rates"),
    path("points/tiers/new", settings.tier, name="tier-new"),
    path("points/tiers/<uuid:pk>", settings.tier, name="tier-edit"),
    path("points/tiers/<uuid:pk>/delete", settings.tier_delete, name="tier-delete"),
    path("customers/<uuid:customer>/points", customer.statement, name="points-customer"),
    path("customers/<uuid:customer>/points/adjust", customer.adjust, name="points-adjust"),
    path("b/<path:token>", customer.public_statement, name="points-public"),
]
