from django.urls import path

from marketing.campaigns.views import detail, engagement, home, lists, spend, wizard

urlpatterns = [
    path("", home.home, name="home"),
    path("approvals", lists.approval_inbox, name="approval-inbox"),
    path("spend", spend.spend, name="spend"),
    path("spend/export", spend.spend_export, name="spend-export"),
    path("campaigns", lists.campaign_list, name="campaign-list"),
    path("campaigns/new", wizard.campaign_new, name="campaign-new"),
    path("campaigns/<uuid:pk>", detail.campaign_detail, name="campaign-detail"),
    path("campaigns/<uuid:pk>/live", detail.campaign_live, name="campaign-live"),
    path(
        "campaigns/<uuid:pk>/engagement",
        engagement.campaign_engagement,
        name="campaign-engagement",
    ),
    path("campaigns/<uuid:pk>/decision", detail.campaign_decision, name="campaign-decision"),
    path(
        "campaigns/<uuid:pk>/people/<uuid:customer_pk>",
        detail.campaign_person,
        name="campaign-person",
    ),
    path("campaigns/<uuid:pk>/edit/<slug:step>", wizard.campaign_edit, name="campaign-edit"),
    path("campaigns/<uuid:pk>/estimate", wizard.campaign_estimate, name="campaign-estimate"),
    path("campaigns/<uuid:pk>/preview", wizard.campaign_preview, name="campaign-preview"),
    path("campaigns/<uuid:pk>/submit", detail.submit, name="campaign-submit"),
    path("campaigns/<uuid:pk>/approve", detail.approve, name="campaign-approve"),
    path("campaigns/<uuid:pk>/reject", detail.reject, name="campaign-reject"),
    path(
        "campaigns/<uuid:pk>/ask-for-changes",
        detail.ask_for_changes,
        name="campaign-ask-for-changes",
    ),
    path("campaigns/<uuid:pk>/schedule", detail.schedule, name="campaign-schedule"),
    path("campaigns/<uuid:pk>/send", detail.send, name="campaign-send"),
    path("campaigns/<uuid:pk>/pause", detail.pause, name="campaign-pause"),
    path("campaigns/<uuid:pk>/resume", detail.resume, name="campaign-resume"),
    path("campaigns/<uuid:pk>/cancel", detail.cancel, name="campaign-cancel"),
    path("campaigns/<uuid:pk>/retry", detail.retry, name="campaign-retry"),
    path("campaigns/<uuid:pk>/copy", detail.copy, name="campaign-copy"),
    path("campaigns/<uuid:pk>/delete", detail.delete, name="campaign-delete"),
    path("campaigns/<uuid:pk>/test", detail.test, name="campaign-test"),
]
