"""Whom a campaign's run went to: a page of them by state, reason and name, or all as a file."""

import uuid
from contextlib import suppress
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers.exports.pages import as_file, show_kinds
from customers.selectors import search_customers
from marketing.campaigns import services
from marketing.campaigns.models import CampaignRun
from marketing.campaigns.selectors.campaigns import get_campaign_for_actor
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.delivery import selectors as delivery
from marketing.delivery.models import Message, MessageState

PEOPLE_PER_PAGE = 25
FEW_CUSTOMERS = 200


def chosen_run(request: StaffRequest, runs: list[CampaignRun]) -> CampaignRun | None:
    """The run that the page was asked for by its number, else the newest."""
    asked = request.GET.get("run", "")
    return next((run for run in runs if str(run.number) == asked), runs[-1] if runs else None)


def people_of(request: StaffRequest, run: CampaignRun) -> dict[str, Any]:
    """One page of the run's recipients, by state, reason and name or phone."""
    state = request.GET.get("state", "")
    text = request.GET.get("q", "").strip()
    reason = request.GET.get("reason", "")
    states = [state] if state in MessageState.values else []
    after = id_of(request.GET.get("after", ""))
    if text:
        rows = _found(request, run, text, states=states, reason=reason, after=after)
    else:
        rows = delivery.recipients_page(
            run.send_run, states=states, reason=reason, after=after, size=PEOPLE_PER_PAGE + 1
        )
    return {
        "strangers": search_customers(request.actor, text)[:5] if text and not rows else [],
        "people": rows[:PEOPLE_PER_PAGE],
        "after": rows[PEOPLE_PER_PAGE - 1].pk if len(rows) > PEOPLE_PER_PAGE else None,
        "state": state,
        "reason": reason,
        "query": text,
        "states": MessageState.choices,
    }


def _found(
    request: StaffRequest,
    run: CampaignRun,
    text: str,
    *,
    states: list[str],
    reason: str,
    after: uuid.UUID | None,
) -> list[Message]:
    """The run's people by name or phone: few are looked up in the run, of many it is searched."""
    customers = search_customers(request.actor, text)
    few = list(customers.values_list("pk", flat=True)[: FEW_CUSTOMERS + 1])
    if len(few) <= FEW_CUSTOMERS:
        rows = delivery.recipients_among(run.send_run, few, states=states, reason=reason)
        return [message for message in rows if after is None or message.pk > after]
    return delivery.recipients_called(
        run.send_run,
        customers,
        states=states,
        reason=reason,
        after=after,
        size=PEOPLE_PER_PAGE + 1,
    )


def id_of(text: str) -> uuid.UUID | None:
    with suppress(ValueError):
        return uuid.UUID(text)
    return None


@staff_view("customer.export_list")
@require_http_methods(["GET", "POST"])
def recipients_export(request: StaffRequest, pk: uuid.UUID, number: int) -> HttpResponseBase:
    """Choose a kind of file, and get it: the run's people at the actor's branches."""
    campaign = get_campaign_for_actor(request.actor, pk)
    run = get_object_or_404(campaign.runs.select_related("send_run", "campaign"), number=number)
    asked = request.POST if request.method == "POST" else request.GET
    narrowed = {name: asked[name] for name in ("state", "reason") if asked.get(name)}
    if request.method == "POST":
        kind = request.POST.get("format", "")
        export = services.export_recipients(actor=request.actor, run=run, format=kind, **narrowed)
        return as_file(export, f"recipients.{kind}")
    whom = _("Whom “%(name)s” went to, or was meant for, at your branches.") % {
        "name": campaign.name
    }
    within = (campaign.name, reverse("campaign-detail", args=[campaign.pk]))
    return show_kinds(request, count=None, whom=whom, within=within, hidden=narrowed)
