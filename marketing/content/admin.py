from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from marketing.content import services
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.core.admin import ReadOnlyAdmin, TenantAdmin, owner_of


@admin.register(MessageTemplate)
class MessageTemplateAdmin(TenantAdmin):
    """New templates and other words: the editor, which checks and previews them."""

    list_display = ("name", "channel", "template_type", "version", "is_system", "is_active")
    list_filter = ("channel", "template_type", "is_system", "is_active")
    search_fields = ("name",)
    fields = ("name", "description", "category", "is_active", "channel", "template_type", "version")
    readonly_fields = ("channel", "template_type", "version")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.update_template(
            actor=owner_of(request),
            template=MessageTemplate.objects.get(pk=obj.pk),
            values={name: form.cleaned_data[name] for name in form.changed_data},
        )


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReadOnlyAdmin):
    list_display = ("template", "number", "whatsapp_status", "created_at")
    list_filter = ("whatsapp_status",)
    list_select_related = ("template",)
