"""What moved points in the chain, and what it owes its customers in points."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from customers.selectors import search_customers
from marketing.core.htmx import StaffRequest
from marketing.core.ids import lower_bound
from marketing.core.models import Branch
from marketing.core.pages import staff_view
from marketing.core.tenancy import current_tenant
from marketing.loyalty import rules, selectors
from marketing.loyalty.forms import LedgerFilter
from marketing.loyalty.models import LedgerProof

ROWS = 50
FOUND_CUSTOMERS = 200


@staff_view("loyalty.ledger")
@require_safe
def ledger(request: StaffRequest) -> HttpResponse:
    """Postings of one's branches by kind, day, branch and customer, the newest first."""
    form = LedgerFilter(request.GET)
    asked: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    rows = selectors.ledger(request.actor)
    zone = current_tenant().time_zone
    if kind := asked.get("kind"):
        rows = rows.filter(kind=kind)
    if since := asked.get("since"):
        rows = rows.filter(pk__gte=lower_bound(rules.start_of(since, zone)))
    if until := asked.get("until"):
        rows = rows.filter(pk__lt=lower_bound(rules.end_of(until, zone)))
    if branch := asked.get("branch"):
        rows = rows.filter(branch_id=branch)
    if text := asked.get("q", "").strip():
        found = search_customers(request.actor, text).values_list("pk", flat=True)
        rows = rows.filter(customer_id__in=list(found[:FOUND_CUSTOMERS]))
    if after := asked.get("after"):
        rows = rows.filter(pk__lt=after)
    page = list(rows[: ROWS + 1])
    is_whole_chain = request.actor.branch_ids is None
    branches = Branch.objects.all()
    if not is_whole_chain:
        branches = branches.filter(pk__in=request.actor.branch_ids or ())
    context = {
        "form": form,
        "rows": page[:ROWS],
        "after": page[ROWS - 1].pk if len(page) > ROWS else None,
        "liability": selectors.liability() if is_whole_chain else None,
        "proof": LedgerProof.objects.order_by("-day").first() if is_whole_chain else None,
        "programme": selectors.programme(),
        "branches": branches,
    }
    return render(request, "loyalty/ledger.html", context)
