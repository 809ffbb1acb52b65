"""The list of campaigns and the approval inbox."""

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from marketing.campaigns.models import CampaignStatus
from marketing.campaigns.selectors.campaigns import campaigns_for_actor
from marketing.campaigns.selectors.progress import attach_figures
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view

PAGE_SIZE = 25
TABS = {
    "": (_("All"), CampaignStatus.values),
    "drafts": (_("Drafts"), ["draft"]),
    "waiting": (_("Waiting"), ["pending_approval", "approved"]),
    "scheduled": (_("Scheduled"), ["scheduled"]),
    "sending": (_("Sending"), ["sending", "paused"]),
    "over": (_("Sent"), ["sent", "cancelled"]),
}


@staff_view("campaign.view")
@require_GET
def campaign_list(request: StaffRequest) -> HttpResponse:
    """Campaigns by state, newest first, with how far each has come."""
    mine = campaigns_for_actor(request.actor)
    tab = request.GET.get("status", "")
    statuses = TABS.get(tab, TABS[""])[1]
    counts = dict(mine.values_list("status").annotate(n=Count("pk")).order_by())
    text = request.GET.get("q", "").strip()
    found = mine.filter(status__in=statuses).select_related("template", "segment")
    if text:
        found = found.filter(name__icontains=text)
    page = Paginator(found.order_by("-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    attach_figures(page)
    tabs = [
        {
            "label": label,
            "url": f"?status={key}" if key else "?",
            "active": key == tab,
            "count": sum(counts.get(status, 0) for status in of_tab),
        }
        for key, (label, of_tab) in TABS.items()
    ]
    return render(
        request,
        "campaigns/list.html",
        {"page": page, "tabs": tabs, "tab": tab, "query": text, "has_any": bool(counts)},
    )
