from django.contrib import admin

from marketing.core.admin import ReadOnlyAdmin
from marketing.loyalty.models import (
    BirthdayBatch,
    EarnRate,
    LedgerProof,
    LoyaltyProgramme,
    PointsAccount,
    PointsEntry,
    PointsHold,
    PointsLot,
    PointsTransaction,
    Tier,
)


@admin.register(LoyaltyProgramme)
class LoyaltyProgrammeAdmin(ReadOnlyAdmin):
    """Set up on its own page."""

    list_display = ("is_enabled", "points_per_100", "point_value_paise", "expiry_months")


@admin.register(Tier)
class TierAdmin(ReadOnlyAdmin):
    list_display = ("name", "level", "threshold", "multiplier")


@admin.register(EarnRate)
class EarnRateAdmin(ReadOnlyAdmin):
    list_display = ("service", "category", "points_per_100")
    list_select_related = ("service", "category")


@admin.register(BirthdayBatch)
class BirthdayBatchAdmin(ReadOnlyAdmin):
    list_display = ("day", "batch", "until")
    list_select_related = ("batch",)
    ordering = ("-day", "-id")


@admin.register(PointsAccount)
class PointsAccountAdmin(ReadOnlyAdmin):
    list_display = ("customer", "available", "pending", "held", "owed", "tier", "next_expiry_on")
    list_select_related = ("customer", "tier")
    show_full_result_count = False


@admin.register(PointsTransaction)
class PointsTransactionAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "customer", "points", "source_type", "source_id", "actor_label")
    list_filter = ("kind",)
    list_select_related = ("customer",)
    search_fields = ("source_id",)
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(PointsEntry)
class PointsEntryAdmin(ReadOnlyAdmin):
    list_display = ("transaction_id", "account", "customer_id", "side", "points")
    list_filter = ("account",)
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(PointsLot)
class PointsLotAdmin(ReadOnlyAdmin):
    list_display = ("customer", "points", "remaining", "is_pending", "earned_at", "expires_on")
    list_select_related = ("customer",)
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(PointsHold)
class PointsHoldAdmin(ReadOnlyAdmin):
    list_display = ("customer", "points", "posted", "state", "expires_at")
    list_filter = ("state",)
    list_select_related = ("customer",)
    ordering = ("-id",)


@admin.register(LedgerProof)
class LedgerProofAdmin(ReadOnlyAdmin):
    list_display = ("day", "accounts", "differing", "issued", "redeemed", "expired", "clawed_back")
    ordering = ("-day",)
