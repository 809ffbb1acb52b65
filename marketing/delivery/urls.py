from django.urls import path

from marketing.delivery.links import pages as links
from marketing.delivery.operations import pages as operations
from marketing.delivery.views import failures
from marketing.delivery.webhooks import pages as webhooks

urlpatterns = [
    path("operations", operations.operations_page, name="operations"),
    path(
        "operations/accounts/<uuid:pk>/try-again",
        operations.try_again,
        name="operations-try-again",
    ),
    path("metrics", operations.prometheus, name="metrics"),
    path("settings/webhooks", webhooks.webhook_list, name="webhook-list"),
    path("settings/webhooks/keywords", webhooks.keywords_save, name="webhook-keywords"),
    path(
        "settings/webhooks/accounts/<uuid:pk>/replay",
        webhooks.account_replay,
        name="webhook-account-replay",
    ),
    path("settings/webhooks/<uuid:pk>", webhooks.webhook_detail, name="webhook-detail"),
    path("settings/webhooks/<uuid:pk>/replay", webhooks.webhook_replay, name="webhook-replay"),
    path("r/<path:code>", links.short_link, name="short-link"),
    path("o/<str:code>.gif", links.opening, name="opening"),
    path("failures", failures.failure_list, name="failure-list"),
    path("failures/<uuid:pk>/discard", failures.discard, name="failure-discard"),
    path("failures/<uuid:pk>/decide", failures.decide, name="failure-decide"),
]
