from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Model
from django.http import HttpRequest

from marketing.core.admin import ReadOnlyAdmin, TenantAdmin, owner_of
from marketing.policy import services
from marketing.policy.models import (
    BranchMarketingConfig,
    BudgetHold,
    BudgetMonth,
    HoldoutMember,
    MarketingConfig,
    ProviderAccount,
    RateCard,
)


def changed_values(form: Any) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in form.changed_data}


@admin.register(MarketingConfig)
class MarketingConfigAdmin(TenantAdmin):
    list_display = ("__str__", "marketing_enabled", "monthly_budget_limit", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        services.update_config(actor=owner_of(request), values=changed_values(form))


@admin.register(BranchMarketingConfig)
class BranchMarketingConfigAdmin(TenantAdmin):
    list_display = ("branch", "marketing_enabled", "monthly_budget_limit", "updated_at")
    list_select_related = ("branch",)
    readonly_fields = ("branch",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.update_branch_config(
            actor=owner_of(request), branch=obj.branch, values=changed_values(form)
        )


@admin.register(ProviderAccount)
class ProviderAccountAdmin(TenantAdmin):
    """New accounts and credentials: the settings' page, which knows what each vendor asks."""

    list_display = ("name", "channel", "provider", "is_default", "is_active", "circuit_reason")
    list_filter = ("channel", "is_active")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    fields = (
        "name",
        "base_url",
        "sender",
        "rate_per_second",
        "max_concurrency",
        "portfolio",
        "portfolio_limit",
        "is_active",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        account = ProviderAccount.objects.get(pk=obj.pk)
        services.update_account(
            actor=owner_of(request), account=account, values=changed_values(form)
        )


@admin.register(RateCard)
class RateCardAdmin(TenantAdmin):
    list_display = (
        "provider",
        "channel",
        "country",
        "category",
        "amount",
        "currency",
        "exchange_rate",
    )
    list_filter = ("provider", "category")
    has_delete = True


@admin.register(BudgetMonth)
class BudgetMonthAdmin(ReadOnlyAdmin):
    list_display = ("month", "branch", "reserved", "spent", "alerted_at")
    list_select_related = ("branch",)


@admin.register(BudgetHold)
class BudgetHoldAdmin(ReadOnlyAdmin):
    list_display = ("month", "branch", "amount", "holder_id")
    list_select_related = ("branch",)


@admin.register(HoldoutMember)
class HoldoutMemberAdmin(ReadOnlyAdmin):
    list_display = ("customer", "since")
    list_select_related = ("customer",)
