"""Why a customer did, or did not, get a campaign."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from customers.models import Channel, Customer
from customers.selectors import get_customer_for_actor
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.campaigns import get_campaign_for_actor, runs_of
from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.delivery import selectors as delivery


@staff_view("campaign.view")
@require_GET
def campaign_person(request: StaffRequest, pk: uuid.UUID, customer_pk: uuid.UUID) -> HttpResponse:
    """Why she did, or did not, get it: the message as it went, and the gate's present verdicts."""
    campaign = get_campaign_for_actor(request.actor, pk)
    customer = get_customer_for_actor(request.actor, customer_pk)
    runs = runs_of(campaign)
    run = _run_with(customer, runs, request.GET.get("run", ""))
    found = delivery.recipients_among(run.send_run, [customer.pk]) if run else []
    return render(
        request,
        "campaigns/person.html",
        {
            "campaign": campaign,
            "customer": customer,
            "run": run,
            "runs": runs,
            "message": found[0] if found else None,
            "is_in_audience": _is_in_audience(campaign, customer),
            "judged": _judged(campaign, customer),
        },
    )


def _judged(campaign: Campaign, customer: Customer) -> list[dict[str, Any]]:
    """The gate's codes for her now on each channel the campaign may take: what blocks, what not."""
    found = []
    for step in plan.channel_steps(campaign):
        if step.template is None:
            continue
        verdicts = delivery.explain(
            customer=customer,
            channel=step.channel,
            purpose=plan.purpose(campaign),
            topic_id=step.template.topic_id,
        )
        found.append(
            {
                "channel": Channel(step.channel).label,
                "blocking": [verdict.code for verdict in verdicts if verdict.blocks],
                "passed": [verdict.code for verdict in verdicts if not verdict.blocks],
            }
        )
    return found


def _run_with(customer: Customer, runs: list[CampaignRun], asked: str) -> CampaignRun | None:
    """The run asked for by its number, else the last that has her, else the newest."""
    wanted = next((run for run in runs if str(run.number) == asked), None)
    if wanted is None and runs:
        last = delivery.newest_run_with(customer, [run.send_run for run in runs])
        wanted = next((run for run in runs if run.send_run_id == last), runs[-1])
    return wanted


def _is_in_audience(campaign: Campaign, customer: Customer) -> bool | None:
    """Whether the rule finds her now; None when it cannot be judged."""
    try:
        return plan.audience(campaign, clock.now()).filter(pk=customer.pk).exists()
    except DomainError:
        return None
