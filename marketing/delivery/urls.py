from django.urls import path

from marketing.delivery import views

urlpatterns = [
    path("customers/<uuid:pk>/panels/messages", views.customer_messages, name="customer-messages"),
]
