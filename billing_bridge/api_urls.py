from django.urls import path

from billing_bridge.event_api import Events

urlpatterns = [path("events", Events.as_view(), name="api-events")]
