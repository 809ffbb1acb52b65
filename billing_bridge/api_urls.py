from django.urls import path

from billing_bridge.api import events

urlpatterns = [path("events", events.Events.as_view(), name="api-events")]
