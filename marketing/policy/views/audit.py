"""Who did what."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marketing.core import selectors
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.policy.audit_words import acts_called, in_words
from marketing.policy.views.tabs import tabs_for

PAGE_SIZE = 50


@staff_view("config.change")
@require_safe
def audit_list(request: StaffRequest) -> HttpResponse:
    """Acts, newest first; `?q=` filters, `?before=` is the last id of the page before."""
    search = request.GET.get("q", "").strip()
    acts = acts_called(search) if search else []
    entries = selectors.audit_trail(request.actor, search=search, acts=acts)
    before = _id(request)
    if before:
        entries = entries.filter(pk__lt=before)
    found = list(entries[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return render(
        request,
        "policy/audit.html",
        {
            "tabs": tabs_for(request.actor, "audit-list"),
            "lines": in_words(shown),
            "query": search,
            "is_later_page": before is not None,
            "before": shown[-1].pk if len(found) > PAGE_SIZE else None,
        },
    )


def _id(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get("before", ""))
    except ValueError:
        return None
