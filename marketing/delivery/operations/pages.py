"""The operations page, and Prometheus' door."""

import hmac
import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.delivery.operations import metrics
from marketing.delivery.operations.alerts import alerts_for
from marketing.delivery.operations.figures import operations
from marketing.policy import services
from marketing.policy.selectors import get_account_for_actor

LOOPBACK = ("127.0.0.1", "::1")


@staff_view("operations.view")
@require_GET
def operations_page(request: StaffRequest) -> HttpResponse:
    """How sending goes; HTMX asks for the changing part again."""
    found = operations()
    template = "delivery/operations.html"
    return render(
        request,
        f"{template}#live" if request.htmx.target == "live" else template,
        {
            "found": found,
            "alerts": alerts_for(request.actor, found),
            "may_mend": request.actor.can("config.change"),
        },
    )


@staff_view("config.change")
@require_POST
def try_again(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Close an account's circuit; campaigns that waited for it go on."""
    account = get_account_for_actor(request.actor, pk)
    if services.close_circuit(actor=request.actor, account=account):
        messages.success(request, _("%(account)s tries again.") % {"account": account.name})
    return redirect("operations")


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Every chain's figures, for whoever has the token; without one set, for this machine only."""
    if not _may_scrape(request):
        return HttpResponse("forbidden\n", "text/plain", status=403)
    return HttpResponse(metrics.exposition(), CONTENT_TYPE_LATEST)


def _may_scrape(request: HttpRequest) -> bool:
    token: str = settings.METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {token}".encode())
    # Behind a proxy of this machine everybody comes from here.
    is_forwarded = "Forwarded" in request.headers or "X-Forwarded-For" in request.headers
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not is_forwarded
