"""Writing templates: the form, and the phone beside it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.models import Channel
from marketing.content import merge_fields, prebuilt, services
from marketing.content.errors import HeadOfficeWrites, ReadOnlyTemplate
from marketing.content.forms import TemplateForm
from marketing.content.models import MessageTemplate, TemplateType
from marketing.content.selectors import (
    current_version,
    get_template_for_actor,
    may_write_templates,
)
from marketing.content.views.errand import back_with, onwards
from marketing.content.views.preview_panel import DEFAULT_EXAMPLE, panel_of_form
from marketing.core.errors import Conflict, DomainError, NotFound
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.tenancy import current_tenant

ICONS = {"whatsapp": "brand-whatsapp", "sms": "message", "email": "mail"}


@staff_view("template.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def template_new(request: StaffRequest) -> HttpResponse:
    """First the channel (`?channel=`), then the words; `?from=` begins with ready-made ones."""
    if not may_write_templates(request.actor):
        raise HeadOfficeWrites()
    channel = request.GET.get("channel", "")
    if channel not in Channel.values:
        channels = [(value, label, ICONS[value]) for value, label in Channel.choices]
        return render(request, "content/new.html", {"channels": channels})
    form = TemplateForm(
        request.POST or None,
        channel=channel,
        languages=current_tenant().languages,
        occasion=prebuilt.occasion(request.GET.get("from", "")),
        may_lock=request.actor.can("template.lock"),
    )
    if _is_to_save(request) and form.is_valid():
        try:
            template = services.create_template(actor=request.actor, channel=channel, **form.values)
        except DomainError as error:
            form.show(error)
        else:
            return _saved(request, template)
    return _editor(request, form, None)


@staff_view("template.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def template_edit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    template = get_template_for_actor(request.actor, pk)
    if template.is_system:
        raise ReadOnlyTemplate()
    services.require_unlocked(request.actor, template)
    form = TemplateForm(
        request.POST or None,
        channel=template.channel,
        languages=current_tenant().languages,
        template=template,
        saved=current_version(template),
        may_lock=request.actor.can("template.lock"),
    )
    if _is_to_save(request) and form.is_valid():
        try:
            template = services.update_template(
                actor=request.actor,
                template=template,
                values=form.values,
                version=form.cleaned_data["version"],
            )
        except Conflict:
            form.add_error(
                None,
                _(
                    "Somebody changed this template while you were writing. Open it in another "
                    "tab, take over what you need, and save again."
                ),
            )
            newest = get_template_for_actor(request.actor, pk).version
            form.data = {**request.POST.dict(), "version": newest}
        except DomainError as error:
            form.show(error)
        else:
            return _saved(request, template)
    return _editor(request, form, template)


@staff_view("template.manage")
@require_POST
def template_preview(request: StaffRequest) -> HttpResponse:
    """The phone for what stands in the form; nothing is kept."""
    channel = request.GET.get("channel", "")
    if channel not in Channel.values:
        raise NotFound()
    form = TemplateForm(request.POST, channel=channel, languages=current_tenant().languages)
    template_type = request.POST.get("template_type") or request.GET.get("type", "")
    seen = panel_of_form(request.actor, form, template_type)
    return render(request, "content/_preview.html", {"panel": seen})


def _is_to_save(request: StaffRequest) -> bool:
    return request.method == "POST" and request.POST.get("do") != "preview"


def _saved(request: StaffRequest, template: MessageTemplate) -> HttpResponse:
    if template.channel == Channel.WHATSAPP:
        messages.success(request, _("Saved. Hand it in to WhatsApp before you send it."))
    else:
        messages.success(request, _("Saved."))
        if back := back_with(request, template):
            return redirect(back)
    return redirect(f"{reverse('template-detail', args=[template.pk])}{onwards(request)}")


def _editor(
    request: StaffRequest, form: TemplateForm, template: MessageTemplate | None
) -> HttpResponse:
    template_type = template.template_type if template else form["template_type"].value() or ""
    fields: list[dict[str, Any]] = [
        {"label": field.label, "code": f"{{{{ {field.name} }}}}", "sample": field.sample}
        for field in merge_fields.all_fields()
    ]
    return render(
        request,
        "content/editor.html",
        {
            "form": form,
            "template": template,
            "channel": form.channel,
            "channel_label": form.channel.label,
            "template_type": template_type or TemplateType.PROMOTIONAL.value,
            "merge_fields": fields,
            "default_example": DEFAULT_EXAMPLE,
            "languages": [
                {"value": each.code, "label": f"{each.name} !" if each.has_errors else each.name}
                for each in form.panels
            ],
            "panel": panel_of_form(request.actor, form, template_type) if form.is_bound else None,
            "asked": request.POST,
            "onwards": onwards(request, channel=form.channel.value),
        },
        status=422 if _is_to_save(request) else 200,
    )
