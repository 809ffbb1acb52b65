from django.urls import path

from marketing.loyalty.api import CustomerPoints, CustomerPointsEntries

urlpatterns = [
    path("customers/<uuid:pk>/points", CustomerPoints.as_view(), name="api-customer-points"),
    path(
        "customers/<uuid:pk>/points/entries",
        CustomerPointsEntries.as_view(),
        name="api-customer-points-entries",
    ),
]
