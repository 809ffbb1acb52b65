from django.urls import path

from marketing.policy import api

urlpatterns = [
    path("marketing/config", api.ConfigView.as_view(), name="api-config"),
    path(
        "marketing/config/branch/<uuid:pk>",
        api.BranchConfigView.as_view(),
        name="api-branch-config",
    ),
]
