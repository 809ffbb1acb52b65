from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun, Festival
from marketing.core.admin import ReadOnlyAdmin, TenantAdmin, owner_of

PLAN = (
    "name",
    "description",
    "campaign_type",
    "channel",
    "template",
    "coupon",
    "unique_codes",
    "segment",
    "target_all_customers",
    "exclude_segment_ids",
    "branch_ids",
    "scheduled_at",
    "recurrence_rule",
)


@admin.register(Campaign)
class CampaignAdmin(TenantAdmin):
    """The plan is edited through the service, so an edit here voids an approval too."""

    list_display = ("name", "status", "channel", "estimated_recipients", "scheduled_at")
    list_filter = ("status", "channel", "campaign_type")
    search_fields = ("name",)
    fields = (*PLAN, "status", "approved_by", "approved_at", "pause_reason", "version")
    readonly_fields = ("status", "approved_by", "approved_at", "pause_reason", "version")
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        for name in ("template", "coupon", "segment"):
            if name in values:
                chosen = values.pop(name)
                values[f"{name}_id"] = chosen and chosen.pk
        if not values.get("branch_ids", True):
            values["branch_ids"] = None
        services.update_campaign(
            actor=owner_of(request), campaign=Campaign.objects.get(pk=obj.pk), values=values
        )


@admin.register(CampaignRun)
class CampaignRunAdmin(ReadOnlyAdmin):
    list_display = ("campaign", "number", "due_at", "created_at")
    list_select_related = ("campaign",)
    ordering = ("-id",)


@admin.register(Festival)
class FestivalAdmin(ReadOnlyAdmin):
    """Changed on the page of festivals."""

    list_display = ("known", "year", "name", "day", "is_yearly")
    ordering = ("day", "known")
