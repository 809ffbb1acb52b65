from django.urls import path

from marketing.delivery import api, views

urlpatterns = [
    path("webhooks/<slug:provider>/<str:token>", views.webhook, name="webhook"),
    path(
        "customers/<uuid:pk>/messages",
        api.CustomerMessages.as_view(),
        name="api-customer-messages",
    ),
]
