from django.urls import path

from marketing.delivery import api

urlpatterns = [
    path(
        "customers/<uuid:pk>/messages",
        api.CustomerMessages.as_view(),
        name="api-customer-messages",
    ),
]
