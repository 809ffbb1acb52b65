"""Customers in the admin: people through their service, reference data, ledgers to look at."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from customers import services
from customers.models import (
    AttributeDefinition,
    CategoryRhythm,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    CustomerEvent,
    CustomerEventKey,
    CustomerFacts,
    CustomerMerge,
    CustomerNote,
    DuplicatePair,
    ImportJob,
    ImportMapping,
    ImportPart,
    ImportRow,
    Membership,
    MessageTopic,
    Package,
    Purchase,
    PurchaseLine,
    PurchaseRefund,
    ScoringConfig,
    Service,
    ServiceCategory,
    StaleFacts,
    Suppression,
    TopicRefusal,
    Visit,
)
from marketing.core.admin import ReadOnlyAdmin, TenantAdmin, owner_of
from marketing.core.admin_site import is_owner


@admin.register(Customer)
class CustomerAdmin(TenantAdmin):
    """New people come by the customers' page, which asks for what a person needs."""

    list_display = ("name", "phone", "email", "home_branch", "status", "created_at")
    list_filter = ("status",)
    list_select_related = ("home_branch",)
    search_fields = ("phone__startswith", "email__startswith", "external_id__exact")
    ordering = ("-id",)
    fields = (
        "first_name",
        "last_name",
        "phone",
        "email",
        "birth_date",
        "anniversary",
        "gender",
        "language",
        "preferred_channel",
        "home_branch",
        "tags",
        "external_id",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        is_active = obj is None or obj.status == Customer.Status.ACTIVE
        return is_active and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        customer = Customer.objects.get(pk=obj.pk)
        services.update_customer(actor=owner_of(request), customer=customer, values=values)


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(TenantAdmin):
    """A type stays: what customers have was checked against it."""

    list_display = ("label", "key", "type", "choices")
    search_fields = ("label", "key")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("key", "type") if obj else ()


@admin.register(ServiceCategory)
class ServiceCategoryAdmin(TenantAdmin):
    list_display = ("name", "external_id")
    search_fields = ("name", "external_id")


@admin.register(Service)
class ServiceAdmin(TenantAdmin):
    list_display = ("name", "category", "price", "tax_rate", "duration_minutes", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("category",)
    search_fields = ("name", "external_id")


class OfCustomerAdmin(ReadOnlyAdmin):
    """Rows that belong to a customer; her phone finds them."""

    search_fields = ("customer__phone__startswith",)
    list_select_related: ClassVar[Any] = ("customer",)
    ordering = ("-id",)


@admin.register(ContactPoint)
class ContactPointAdmin(OfCustomerAdmin):
    list_display = ("customer", "kind", "value", "is_primary", "verified_at")


@admin.register(CustomerNote)
class CustomerNoteAdmin(OfCustomerAdmin):
    list_display = ("customer", "author", "created_at")
    list_select_related = ("customer", "author")


@admin.register(ConsentState)
class ConsentStateAdmin(OfCustomerAdmin):
    list_display = ("customer", "marketing_opted_out", "is_dnd", "updated_at")


@admin.register(ConsentRecord)
class ConsentRecordAdmin(OfCustomerAdmin):
    list_display = ("customer", "state", "channel", "purpose", "basis", "source", "at")


@admin.register(CustomerFacts)
class CustomerFactsAdmin(OfCustomerAdmin):
    list_display = ("customer", "visit_count", "last_visit_at", "total_spend", "stage")


@admin.register(CategoryRhythm)
class CategoryRhythmAdmin(OfCustomerAdmin):
    list_display = ("customer", "category", "visits", "last_at", "due_on")
    list_select_related = ("customer", "category")


@admin.register(ScoringConfig)
class ScoringConfigAdmin(TenantAdmin):
    list_display = ("__str__", "rfm_mode", "version", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        services.update_scoring(actor=owner_of(request), values=values)


@admin.register(Visit)
class VisitAdmin(OfCustomerAdmin):
    list_display = ("customer", "branch", "visited_at")
    list_select_related = ("customer", "branch")


class PurchaseLineInline(admin.TabularInline):
    model = PurchaseLine
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_owner(request)


class PurchaseRefundInline(admin.TabularInline):
    model = PurchaseRefund
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_owner(request)


@admin.register(Purchase)
class PurchaseAdmin(OfCustomerAdmin):
    list_display = (
        *("customer", "invoice_number", "branch", "total", "refunded", "status", "purchased_at"),
    )
    list_select_related = ("customer", "branch")
    inlines = (PurchaseLineInline, PurchaseRefundInline)


@admin.register(Membership)
class MembershipAdmin(OfCustomerAdmin):
    list_display = ("customer", "plan", "status", "starts_on", "expires_on")


@admin.register(Package)
class PackageAdmin(OfCustomerAdmin):
    list_display = ("customer", "name", "sessions_used", "sessions_total", "expires_on")


@admin.register(CustomerEvent)
class CustomerEventAdmin(OfCustomerAdmin):
    list_display = ("customer", "name", "occurred_at")


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    list_display = ("channel", "reason", "created_at")
    list_filter = ("channel", "reason")
    ordering = ("-id",)


@admin.register(CustomerEventKey)
class CustomerEventKeyAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "event_id", "created_at")
    search_fields = ("external_id",)


@admin.register(StaleFacts)
class StaleFactsAdmin(ReadOnlyAdmin):
    list_display = ("customer_id", "marked_at")


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "started_by", "state", "imported_rows", "created_at")
    list_select_related = ("started_by",)
    ordering = ("-id",)


@admin.register(ImportPart)
class ImportPartAdmin(ReadOnlyAdmin):
    list_display = ("job_id", "number")
    fields = ("job_id", "number")
    readonly_fields = ("job_id",)


@admin.register(ImportRow)
class ImportRowAdmin(ReadOnlyAdmin):
    list_display = ("job_id", "line", "outcome", "problems")
    list_filter = ("outcome",)


@admin.register(ImportMapping)
class ImportMappingAdmin(ReadOnlyAdmin):
    list_display = ("headers_hash", "updated_at")


@admin.register(MessageTopic)
class MessageTopicAdmin(TenantAdmin):
    """What the preference page offers; one that is over is switched off, not deleted."""

    list_display = ("name", "position", "is_active")
    search_fields = ("name",)


@admin.register(TopicRefusal)
class TopicRefusalAdmin(OfCustomerAdmin):
    list_display = ("customer", "topic", "at")
    list_select_related = ("customer", "topic")


@admin.register(DuplicatePair)
class DuplicatePairAdmin(ReadOnlyAdmin):
    list_display = ("first", "second", "reasons", "score", "found_at", "dismissed_at")
    list_select_related = ("first", "second")
    search_fields = ("first__phone__startswith",)
    ordering = ("-id",)


@admin.register(CustomerMerge)
class CustomerMergeAdmin(ReadOnlyAdmin):
    """Undone on the customers' own page, which says what follows."""

    list_display = ("survivor", "merged", "merged_at", "undone_at")
    list_select_related = ("survivor", "merged")
    search_fields = ("survivor__phone__startswith",)
    ordering = ("-id",)
    exclude = ("record",)
