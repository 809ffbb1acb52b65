"""The list of templates."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers.models import Channel
from marketing.content.forms import language_name
from marketing.content.models import MessageTemplate, TemplateType, TemplateVersion, WhatsAppStatus
from marketing.content.selectors import current_version, sends_locked_only, templates_for_actor
from marketing.content.views.reviews import reasons_of
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view

PAGE_SIZE = 25


@staff_view("template.view")
@require_safe
def template_list(request: StaffRequest) -> HttpResponse:
    """Templates by name, with the newest version's languages and WhatsApp's word on it.

    Where branches send head office's only, they see those.
    """
    everything = templates_for_actor(request.actor)
    if sends_locked_only(request.actor):
        everything = everything.filter(is_locked=True)
    found = _filtered(everything, request.GET)
    page = Paginator(found.order_by("name", "pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [
        {
            "template": template,
            "version": version,
            "languages": [language_name(code) for code in version.contents],
            "reasons": reasons_of(version),
        }
        for template in page
        for version in [current_version(template)]
    ]
    filters: list[dict[str, Any]] = [
        {"name": "channel", "label": _("Channel"), "choices": Channel.choices},
        {"name": "type", "label": _("Type"), "choices": TemplateType.choices},
        {"name": "status", "label": _("At WhatsApp"), "choices": WhatsAppStatus.choices},
        {"name": "use", "label": _("In use"), "choices": [("out", _("Out of use"))]},
    ]
    for each in filters:
        each["value"] = request.GET.get(each["name"], "")
    return render(
        request,
        "content/list.html",
        {
            "page": page,
            "rows": rows,
            "filters": filters,
            "query": request.GET.get("q", ""),
            "is_filtered": any(request.GET.values()),
        },
    )


def _filtered(templates: QuerySet[MessageTemplate], asked: QueryDict) -> QuerySet[MessageTemplate]:
    templates = templates.filter(is_active=asked.get("use") != "out")
    if text := asked.get("q", "").strip():
        templates = templates.filter(name__icontains=text)
    if channel := asked.get("channel"):
        templates = templates.filter(channel=channel)
    if template_type := asked.get("type"):
        templates = templates.filter(template_type=template_type)
    if status := asked.get("status"):
        newest = TemplateVersion.objects.filter(
            template=OuterRef("pk"), number=OuterRef("version"), whatsapp_status=status
        )
        templates = templates.filter(Exists(newest))
    return templates
