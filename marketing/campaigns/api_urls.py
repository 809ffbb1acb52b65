from django.urls import path

from marketing.campaigns.api import views as api

urlpatterns = [
    path("campaigns", api.Campaigns.as_view(), name="api-campaigns"),
    path("campaigns/<uuid:pk>", api.CampaignDetail.as_view(), name="api-campaign"),
    path("campaigns/<uuid:pk>/submit", api.Submit.as_view(), name="api-campaign-submit"),
    path("campaigns/<uuid:pk>/approve", api.Approve.as_view(), name="api-campaign-approve"),
    path("campaigns/<uuid:pk>/reject", api.Reject.as_view(), name="api-campaign-reject"),
    path("campaigns/<uuid:pk>/schedule", api.Schedule.as_view(), name="api-campaign-schedule"),
    path("campaigns/<uuid:pk>/send", api.Send.as_view(), name="api-campaign-send"),
    path("campaigns/<uuid:pk>/pause", api.Pause.as_view(), name="api-campaign-pause"),
    path("campaigns/<uuid:pk>/resume", api.Resume.as_view(), name="api-campaign-resume"),
    path("campaigns/<uuid:pk>/cancel", api.Cancel.as_view(), name="api-campaign-cancel"),
    path("campaigns/<uuid:pk>/test", api.Test.as_view(), name="api-campaign-test"),
    path(
        "campaigns/<uuid:pk>/recipients", api.Recipients.as_view(), name="api-campaign-recipients"
    ),
    path("campaigns/<uuid:pk>/analytics", api.Analytics.as_view(), name="api-campaign-analytics"),
]
