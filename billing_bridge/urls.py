from django.urls import path

from billing_bridge.views import received

urlpatterns = [
    path("received", received.received_list, name="received-list"),
    path("received/replay", received.received_replay_all, name="received-replay-all"),
    path("received/<uuid:pk>", received.received_detail, name="received-detail"),
    path("received/<uuid:pk>/replay", received.received_replay, name="received-replay"),
]
