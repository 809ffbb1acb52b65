from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from marketing.campaigns.selectors.home import home as selected
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.followups.selectors import due_for_actor

FOLLOWUPS_SHOWN = 4


@staff_view("campaign.view")
@require_GET
def home(request: StaffRequest) -> HttpResponse:
    """What needs me, what is running, what it costs; HTMX asks for the running part again."""
    context: dict[str, Any] = {"home": selected(request.actor)}
    if request.htmx.target == "running":
        return render(request, "home.html#running", context)
    context["followups_due"] = due_for_actor(request.actor, FOLLOWUPS_SHOWN)
    return render(request, "home.html", context)
