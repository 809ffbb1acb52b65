from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from marketing.campaigns.selectors.home import home as selected
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view


@staff_view("campaign.view")
@require_GET
def home(request: StaffRequest) -> HttpResponse:
    """What needs me, what is running, what it costs; HTMX asks for the running part again."""
    template = "home.html#running" if request.htmx.target == "running" else "home.html"
    return render(request, template, {"home": selected(request.actor)})
