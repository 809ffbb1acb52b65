"""The links of a message, and whether they work."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from marketing.content import services
from marketing.content.link_states import states_of
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.content.selectors import current_version, get_template_for_actor
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view


@staff_view("template.view")
@require_safe
def template_links(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The card by itself, for other pages and while links are being checked."""
    return _card(request, get_template_for_actor(request.actor, pk))


@staff_view("template.manage")
@require_POST
def template_links_check(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    template = get_template_for_actor(request.actor, pk)
    services.check_links(actor=request.actor, template=template)
    return _card(request, template)


def _card(request: StaffRequest, template: MessageTemplate) -> HttpResponse:
    if not request.htmx:
        return redirect("template-detail", template.pk)
    context = {"template": template, **links_of(current_version(template))}
    return render(request, "content/_links.html", context)


def links_of(version: TemplateVersion) -> dict[str, Any]:
    """What the card shows."""
    states = states_of(version)
    return {"links": states, "is_checking": any(state.is_checking for state in states)}
