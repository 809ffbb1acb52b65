"""The admin's base classes, and the organisation's own pages in it."""

from itertools import chain
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from marketing.core import audit, services
from marketing.core.actor import Actor
from marketing.core.admin_site import actor_of, is_owner
from marketing.core.errors import DomainError, Forbidden
from marketing.core.models import (
    ApiKey,
    AuditEntry,
    Branch,
    Delegation,
    DomainEvent,
    EventDelivery,
    IdempotencyRecord,
    Region,
    Staff,
    StaffBranch,
    StaffNotification,
    Tenant,
    User,
)


def owner_of(request: HttpRequest) -> Actor:
    """The super owner who asks. Raises `Forbidden` when nobody does."""
    actor = actor_of(request)
    if actor is None:
        raise Forbidden()
    return actor


class TenantAdmin(admin.ModelAdmin):
    """Rows of the super owner's chain: the model's manager shows no others.

    A class whose model has a service overrides `save_model` and calls it; a refusal is
    shown above the form. Other saves are audited here. Nothing is deleted unless a
    subclass says `has_delete`.
    """

    list_per_page = 50
    show_full_result_count = False
    has_delete = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_owner(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_owner(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_owner(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_owner(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_delete and is_owner(request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        act = "update" if change else "create"
        changes = {name: str(form.cleaned_data[name]) for name in form.changed_data}
        audit.record(owner_of(request), f"{obj._meta.model_name}.{act}", obj, changes)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        audit.record(owner_of(request), f"{obj._meta.model_name}.delete", obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            for text in (error.message, *chain.from_iterable(error.fields.values())):
                messages.error(request, text)
            return HttpResponseRedirect(request.get_full_path())


class ReadOnlyAdmin(TenantAdmin):
    """Ledgers, logs and derived rows: to be looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GlobalReadOnlyAdmin(ReadOnlyAdmin):
    """A global table's rows of the super owner's chain. `tenant_field` is its key to it."""

    tenant_field = "tenant"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tenant_id = owner_of(request).tenant_id if is_owner(request) else None
        return super().get_queryset(request).filter(**{self.tenant_field: tenant_id})


@admin.register(Tenant)
class TenantPage(GlobalReadOnlyAdmin):
    tenant_field = "pk"
    list_display = ("name", "slug", "country", "time_zone", "currency")


@admin.register(User)
class UserAdmin(GlobalReadOnlyAdmin):
    """Logins are changed on the staff page of the settings."""

    list_display = ("username", "email", "is_active", "last_login")
    search_fields = ("username", "email")
    fields = ("username", "email", "is_active", "last_login", "date_joined")


@admin.register(ApiKey)
class ApiKeyAdmin(GlobalReadOnlyAdmin):
    """Keys are issued and revoked on their page of the settings."""

    list_display = ("name", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")


@admin.register(Region)
class RegionAdmin(TenantAdmin):
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(Branch)
class BranchAdmin(TenantAdmin):
    list_display = ("name", "code", "city", "region", "time_zone", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("region",)
    search_fields = ("name", "code", "city")


@admin.register(Staff)
class StaffAdmin(TenantAdmin):
    """New people come by the staff page of the settings, which makes their login too."""

    list_display = ("name", "role", "user", "is_active")
    list_filter = ("role", "is_active")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    fields = ("user", "name", "role", "phone", "email", "is_active")
    readonly_fields = ("user",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        staff = Staff.objects.get(pk=obj.pk)
        services.update_staff(actor=owner_of(request), staff=staff, values=values)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_label", "action", "object_type", "object_id")
    search_fields = ("action", "actor_label")
    ordering = ("-id",)


@admin.register(DomainEvent)
class DomainEventAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "name", "payload")
    search_fields = ("name",)
    ordering = ("-id",)


@admin.register(EventDelivery)
class EventDeliveryAdmin(GlobalReadOnlyAdmin):
    tenant_field = "tenant_id"
    list_display = ("id", "event_name", "handler", "not_before", "attempts", "last_error")
    list_filter = ("event_name", "handler")


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin):
    list_display = ("client", "key", "status", "created_at")
    exclude = ("request_hash", "response")


@admin.register(StaffBranch)
class StaffBranchAdmin(ReadOnlyAdmin):
    list_display = ("staff", "branch")
    list_select_related = ("staff", "branch")


@admin.register(Delegation)
class DelegationAdmin(ReadOnlyAdmin):
    """Approvers delegate and revoke on their page of the approvals."""

    list_display = ("delegator", "delegate", "begins_at", "ends_at", "revoked_at")
    list_select_related = ("delegator", "delegate")
    ordering = ("-id",)


@admin.register(StaffNotification)
class StaffNotificationAdmin(ReadOnlyAdmin):
    list_display = ("staff", "kind", "created_at", "read_at", "email_after", "emailed_at")
    list_filter = ("kind",)
    list_select_related = ("staff",)
    ordering = ("-id",)
