from django.contrib import admin

from marketing.core.admin import ReadOnlyAdmin
from marketing.referrals.models import (
    NoticeTemplate,
    Referral,
    ReferralCode,
    ReferralHold,
    ReferralNotice,
    ReferralProgramme,
    ReferralStep,
    ReferralTouch,
    SeenToken,
)


@admin.register(ReferralProgramme)
class ReferralProgrammeAdmin(ReadOnlyAdmin):
    """Set up on its own page."""

    list_display = ("is_enabled", "reward_on", "hold_days", "max_referrals_per_month")


@admin.register(ReferralCode)
class ReferralCodeAdmin(ReadOnlyAdmin):
    list_display = ("code", "customer", "month", "taken", "created_at")
    list_select_related = ("customer",)
    search_fields = ("code",)
    show_full_result_count = False


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    """Decided on their own pages."""

    list_display = ("referrer", "friend", "state", "reason", "is_flagged", "branch", "created_at")
    list_filter = ("state", "is_flagged", "source")
    list_select_related = ("referrer", "friend", "branch")
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(ReferralStep)
class ReferralStepAdmin(ReadOnlyAdmin):
    list_display = ("at", "referral_id", "state", "reason", "by")
    list_filter = ("state",)
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(ReferralTouch)
class ReferralTouchAdmin(ReadOnlyAdmin):
    list_display = ("at", "code_id", "kind", "branch_id", "by")
    list_filter = ("kind",)
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(ReferralHold)
class ReferralHoldAdmin(ReadOnlyAdmin):
    list_display = ("reservation_id", "code_id", "month")


@admin.register(NoticeTemplate)
class NoticeTemplateAdmin(ReadOnlyAdmin):
    """Chosen on the programme's page."""

    list_display = ("kind", "channel", "template", "since")
    list_select_related = ("template",)


@admin.register(ReferralNotice)
class ReferralNoticeAdmin(ReadOnlyAdmin):
    list_display = ("at", "referral_id", "kind", "customer_id", "run_id")
    list_filter = ("kind",)
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(SeenToken)
class SeenTokenAdmin(ReadOnlyAdmin):
    list_display = ("seen_at", "kind", "customer_id")
    list_filter = ("kind",)
    exclude = ("digest",)
    show_full_result_count = False
    ordering = ("-id",)
