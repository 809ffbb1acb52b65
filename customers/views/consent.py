"""Consent with its proof, as staff see and record it."""

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from customers import links, selectors
from customers.models import Channel, ConsentState, Purpose
from customers.rules import CHANNELS, CONSENT_PURPOSES
from customers.timeline_sources import author_of, describe_consent
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view


@require_safe
@staff_view("consent.view")
def consent_proof(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What she agrees to by channel and purpose, and each line of the ledger that led there."""
    customer = selectors.get_customer_for_actor(request.actor, pk)
    state = getattr(customer, "consent", None) or ConsentState(customer=customer)
    lines, older = selectors.consent_lines(customer, before=request.GET.get("before", ""))
    context = {
        "customer": customer,
        "consent": state,
        "purposes": [Purpose(purpose).label for purpose in CONSENT_PURPOSES],
        "channels": [
            {
                "label": Channel(channel).label,
                "basis": getattr(state, f"{channel}_basis"),
                "answers": [getattr(state, f"{channel}_{purpose}") for purpose in CONSENT_PURPOSES],
            }
            for channel in CHANNELS
        ],
        "refused_topics": [
            refusal.topic for refusal in customer.refused_topics.select_related("topic")
        ],
        "lines": [
            {"record": line, "title": describe_consent(line), "by": author_of(line)}
            for line in lines
        ],
        "older": older,
        "own_page": links.preferences_url(request.actor.tenant_id, customer.pk),
    }
    return render(request, "customers/consent_proof.html", context)
