"""Segments in the admin: custom ones may be renamed there; rules are built on their page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from marketing.core.admin import ReadOnlyAdmin, TenantAdmin, owner_of
from marketing.segments import services
from marketing.segments.models import (
    MembershipChange,
    Segment,
    SegmentMember,
    SegmentSize,
    SegmentVersion,
    StaleMember,
)


@admin.register(Segment)
class SegmentAdmin(TenantAdmin):
    list_display = ("name", "segment_type", "is_dynamic", "customer_count", "last_refreshed_at")
    list_filter = ("segment_type", "is_dynamic", "is_active")
    search_fields = ("name",)
    fields = (
        "name",
        "description",
        "segment_type",
        "is_dynamic",
        "rules",
        "branch_ids",
        "customer_count",
        "branch_counts",
        "last_refreshed_at",
        "version",
        "is_active",
    )
    readonly_fields = tuple(name for name in fields if name not in ("name", "description"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        segment = Segment.objects.get(pk=obj.pk)
        services.update_segment(actor=owner_of(request), segment=segment, values=values)


@admin.register(SegmentVersion)
class SegmentVersionAdmin(ReadOnlyAdmin):
    list_display = ("segment", "version", "name", "saved_by", "saved_at")
    list_select_related = ("segment", "saved_by")
    ordering = ("-id",)


@admin.register(SegmentMember)
class SegmentMemberAdmin(ReadOnlyAdmin):
    list_display = ("segment", "customer", "added_at")
    list_select_related = ("segment", "customer")
    ordering = ("-id",)


@admin.register(MembershipChange)
class MembershipChangeAdmin(ReadOnlyAdmin):
    list_display = ("segment", "customer_id", "entered", "batch_id")
    list_select_related = ("segment",)
    ordering = ("-id",)


@admin.register(SegmentSize)
class SegmentSizeAdmin(ReadOnlyAdmin):
    list_display = ("segment", "day", "customer_count")
    list_select_related = ("segment",)
    ordering = ("-day", "-id")


@admin.register(StaleMember)
class StaleMemberAdmin(ReadOnlyAdmin):
    list_display = ("customer_id", "marked_at")
    ordering = ("-id",)
