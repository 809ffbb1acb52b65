from django.urls import path

from marketing.loyalty.api import CustomerPoints, CustomerPointsEntries, ExpiringPoints

urlpatterns = [
    path("loyalty/expiring", ExpiringPoints.as_view(), name="api-expiring-points"),
    path("customers/<uuid:pk>/points", CustomerPoints.as_view(), name="api-customer-points"),
    path(
        "customers/<uuid:pk>/points/entries",
        CustomerPointsEntries.as_view(),
        name="api-customer-points-entries",
    ),
]
