from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from marketing.core.admin import ReadOnlyAdmin, TenantAdmin, owner_of
from marketing.coupons import services
from marketing.coupons.models import (
    CatalogueMark,
    CodeBatch,
    CounterSettings,
    CouponCode,
    CustomerUse,
    Hold,
    Offer,
    OfferRevision,
    OfferUse,
    Redemption,
    Reservation,
    Reversal,
)


@admin.register(Offer)
class OfferAdmin(ReadOnlyAdmin):
    """Offers are edited on their own pages: what they mean is in their terms."""

    list_display = ("name", "kind", "code", "is_active", "is_automatic", "valid_until", "revision")
    list_filter = ("is_active", "is_automatic", "kind")
    search_fields = ("name", "code")
    ordering = ("-id",)


@admin.register(OfferRevision)
class OfferRevisionAdmin(ReadOnlyAdmin):
    list_display = ("offer", "revision", "made_by", "made_at")
    list_select_related = ("offer", "made_by")
    ordering = ("-id",)


@admin.register(CodeBatch)
class CodeBatchAdmin(ReadOnlyAdmin):
    list_display = ("name", "prefix", "offer", "count", "made", "state", "created_at")
    list_filter = ("state",)
    list_select_related = ("offer",)
    ordering = ("-id",)


@admin.register(CouponCode)
class CouponCodeAdmin(ReadOnlyAdmin):
    list_display = ("code", "offer", "max_uses", "used", "reserved", "expires_at", "revoked_at")
    list_select_related = ("offer",)
    search_fields = ("key",)
    ordering = ("-id",)


@admin.register(OfferUse)
class OfferUseAdmin(ReadOnlyAdmin):
    list_display = ("offer", "branch", "used", "reserved", "spent", "held")
    list_select_related = ("offer", "branch")
    ordering = ("-id",)


@admin.register(CustomerUse)
class CustomerUseAdmin(ReadOnlyAdmin):
    list_display = ("offer", "customer", "period_start", "n")
    list_select_related = ("offer", "customer")
    ordering = ("-id",)


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    list_display = ("key", "branch", "state", "discount", "payable", "expires_at", "invoice_id")
    list_filter = ("state",)
    list_select_related = ("branch",)
    exclude = ("trace",)
    ordering = ("-id",)


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ("reservation_id", "offer", "branch", "amount")
    list_select_related = ("offer", "branch")
    ordering = ("-id",)


@admin.register(Redemption)
class RedemptionAdmin(ReadOnlyAdmin):
    list_display = ("invoice_id", "branch", "offer", "amount", "returned", "state", "redeemed_at")
    list_filter = ("state",)
    list_select_related = ("branch", "offer")
    search_fields = ("invoice_id",)
    ordering = ("-id",)


@admin.register(Reversal)
class ReversalAdmin(ReadOnlyAdmin):
    list_display = ("operation", "reservation_id", "amount", "made_at")
    ordering = ("-id",)


@admin.register(CatalogueMark)
class CatalogueMarkAdmin(ReadOnlyAdmin):
    list_display = ("tenant_id", "number")


@admin.register(CounterSettings)
class CounterSettingsAdmin(TenantAdmin):
    """The chain's one row; there is none before the first change on the settings' page."""

    list_display = ("tax_rounding", "choice", "max_bill_discount", "compared", "stack_size")
    exclude = ("version",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        services.update_counter_settings(actor=owner_of(request), values=values)
