from django.contrib import admin

from marketing.core.admin import GlobalReadOnlyAdmin, ReadOnlyAdmin
from marketing.delivery.models import (
    BatchCost,
    BatchReason,
    ContactLoad,
    DispatchBatch,
    Engagement,
    ExtraKeyword,
    InboundMessage,
    LinkCount,
    Message,
    PortfolioPerson,
    ProviderReference,
    SendRun,
    TrackedLink,
    WebhookEvent,
)


@admin.register(SendRun)
class SendRunAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "state", "purpose", "audience", "created_at")
    list_filter = ("kind", "state")


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("id", "customer", "channel", "state", "reason", "error_code", "created_at")
    list_filter = ("channel", "state")
    list_select_related = ("customer",)
    show_full_result_count = False


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = ("id", "provider", "received_at", "applied_at", "error")
    list_filter = ("provider",)
    exclude = ("body",)
    show_full_result_count = False


@admin.register(DispatchBatch)
class DispatchBatchAdmin(GlobalReadOnlyAdmin):
    tenant_field = "tenant_id"
    list_display = ("id", "channel", "state", "next_at", "queued", "sending", "sent", "unknown")
    list_filter = ("state", "channel")


@admin.register(ContactLoad)
class ContactLoadAdmin(ReadOnlyAdmin):
    list_display = ("customer", "sent")
    list_select_related = ("customer",)
    show_full_result_count = False


@admin.register(ProviderReference)
class ProviderReferenceAdmin(ReadOnlyAdmin):
    list_display = ("reference", "message_id", "created_at")
    search_fields = ("reference",)
    show_full_result_count = False


@admin.register(TrackedLink)
class TrackedLinkAdmin(GlobalReadOnlyAdmin):
    tenant_field = "tenant_id"
    list_display = ("id", "source", "channel", "content", "created_at")
    list_filter = ("channel",)
    search_fields = ("source",)


@admin.register(Engagement)
class EngagementAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "customer", "at", "machine", "agent")
    list_filter = ("kind", "machine")
    list_select_related = ("customer",)


@admin.register(LinkCount)
class LinkCountAdmin(ReadOnlyAdmin):
    list_display = ("run_id", "link_id", "kind", "times", "people", "machine_times")
    list_filter = ("kind",)


@admin.register(BatchReason)
class BatchReasonAdmin(ReadOnlyAdmin):
    list_display = ("run_id", "batch_id", "state", "code", "count", "closed")
    list_filter = ("state",)


@admin.register(BatchCost)
class BatchCostAdmin(ReadOnlyAdmin):
    list_display = ("run_id", "batch_id", "branch_id", "reserved", "spent")


@admin.register(PortfolioPerson)
class PortfolioPersonAdmin(ReadOnlyAdmin):
    list_display = ("portfolio", "address", "last_at")
    list_filter = ("portfolio",)


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    list_display = ("id", "channel", "sender", "keyword", "is_known", "answered_at")
    list_filter = ("channel", "keyword", "is_known")


@admin.register(ExtraKeyword)
class ExtraKeywordAdmin(ReadOnlyAdmin):
    """Changed on the page of the webhooks."""

    list_display = ("word", "keyword")
    list_filter = ("keyword",)
