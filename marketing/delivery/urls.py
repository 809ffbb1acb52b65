from django.urls import path

from marketing.delivery import views
from marketing.delivery.links import pages as links

urlpatterns = [
    path("r/<str:code>", links.short_link, name="short-link"),
    path("o/<str:code>.gif", links.opening, name="opening"),
    path("customers/<uuid:pk>/panels/messages", views.customer_messages, name="customer-messages"),
]
