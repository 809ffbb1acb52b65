"""Deciding on campaigns: the inbox, what was decided, the decision itself, and talking about it."""

import uuid
from contextlib import suppress

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from marketing.campaigns import services
from marketing.campaigns.inbox_filter import InboxFilter
from marketing.campaigns.selectors.campaigns import get_campaign_in_sight, waiting_for_approval
from marketing.campaigns.selectors.inbox import (
    authors_waiting,
    branches_to_decide_for,
    narrowed,
)
from marketing.campaigns.selectors.inbox import (
    decided as decided_by,
)
from marketing.campaigns.selectors.outlook import outlook
from marketing.campaigns.views.detail import act, campaign_page
from marketing.campaigns.views.parts import campaign_part
from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view

MOST_WAITING = 50
DECIDED_PER_PAGE = 25
SAMPLES = 10


def _tabs(active: str) -> list[dict[str, object]]:
    return [
        {"label": _("Waiting"), "url": reverse("approval-inbox"), "active": active == "waiting"},
        {"label": _("Decided"), "url": reverse("approval-decided"), "active": active == "decided"},
    ]


@staff_view("campaign.approve")
@require_GET
def approval_inbox(request: StaffRequest) -> HttpResponse:
    """What waits for this approver, the longest waiting first, narrowed as asked."""
    form = InboxFilter(
        request.GET,
        branches=branches_to_decide_for(request.actor),
        authors=authors_waiting(request.actor),
    )
    waiting = narrowed(waiting_for_approval(request.actor), **form.wanted)
    return render(
        request,
        "campaigns/inbox.html",
        {
            "tabs": _tabs("waiting"),
            "form": form,
            "campaigns": waiting[:MOST_WAITING],
            "is_narrowed": any(form.wanted.values()),
            "away": request.actor.stands_in_for,
        },
    )


@staff_view("campaign.approve")
@require_GET
def decided(request: StaffRequest) -> HttpResponse:
    """What was decided, by this approver or by anybody."""
    by_me = request.GET.get("by") != "anybody"
    rows = decided_by(request.actor, by_me=by_me, before=_id(request), size=DECIDED_PER_PAGE + 1)
    shown = rows[:DECIDED_PER_PAGE]
    return render(
        request,
        "campaigns/decided.html",
        {
            "tabs": _tabs("decided"),
            "rows": shown,
            "by_me": by_me,
            "before": shown[-1].pk if len(rows) > DECIDED_PER_PAGE else None,
        },
    )


def _id(request: HttpRequest) -> uuid.UUID | None:
    with suppress(ValueError):
        return uuid.UUID(request.GET.get("before", ""))
    return None


@staff_view("campaign.approve")
@require_GET
def campaign_decision(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What an approver decides on: who would get it, and ten of the messages as they would go."""
    campaign = get_campaign_in_sight(request.actor, pk)
    found = outlook(
        request.actor, campaign, clock.now(), samples=SAMPLES, is_fresh="again" in request.GET
    )
    return campaign_part(
        request,
        campaign,
        "campaigns/_decision.html",
        {"outlook": found},
        title=_("Who will get it"),
    )


@staff_view("campaign.approve")
@require_POST
def approve(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What is approved is what the page showed, `seen`."""
    seen, service = request.POST.get("seen", ""), services.approve_campaign
    return act(request, pk, service, _("Approved."), find=get_campaign_in_sight, seen=seen)


@staff_view("campaign.approve")
@require_POST
def reject(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    service, done = services.reject_campaign, _("Rejected.")
    return act(request, pk, service, done, find=get_campaign_in_sight, reason=reason)


@staff_view("campaign.approve")
@require_POST
def ask_for_changes(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    service, done = services.ask_for_changes, _("Sent back.")
    return act(request, pk, service, done, find=get_campaign_in_sight, reason=reason)


@staff_view("campaign.create")
@require_POST
def comment(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Say something about the campaign; what was refused stays in its field."""
    campaign = get_campaign_in_sight(request.actor, pk)
    text = request.POST.get("text", "")
    try:
        services.comment_on_campaign(actor=request.actor, campaign=campaign, text=text)
    except DomainError as error:
        return campaign_page(request, campaign, error, comment=text)
    messages.success(request, _("Said."))
    return redirect(f"{reverse('campaign-detail', args=[pk])}#history")
