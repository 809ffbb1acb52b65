from django.urls import path

from customers import views

urlpatterns = [path("u/<str:token>", views.unsubscribe, name="unsubscribe")]
