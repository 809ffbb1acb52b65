from django.urls import path

from billing_bridge.api import bills, events

# Bills' numbers have slashes in them.
urlpatterns = [
    path("billing/quote", bills.Quote.as_view(), name="api-billing-quote"),
    path("billing/reserve", bills.Reserve.as_view(), name="api-billing-reserve"),
    path(
        "billing/reservations/<uuid:pk>/redeem", bills.Redeem.as_view(), name="api-billing-redeem"
    ),
    path(
        "billing/reservations/<uuid:pk>/release",
        bills.Release.as_view(),
        name="api-billing-release",
    ),
    path("billing/reservations/<uuid:pk>/renew", bills.Renew.as_view(), name="api-billing-renew"),
    path("billing/invoices", bills.Invoices.as_view(), name="api-billing-invoices"),
    path(
        "billing/invoices/<path:invoice>/refund", bills.Refund.as_view(), name="api-billing-refund"
    ),
    path("billing/invoices/<path:invoice>/void", bills.Void.as_view(), name="api-billing-void"),
    path("events", events.Events.as_view(), name="api-events"),
]
