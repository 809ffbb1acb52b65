"""Whose points expire soon, those that go first on top."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.selectors import branches_for_actor
from marketing.loyalty import selectors
from marketing.loyalty.forms import ExpiringFilter

ROWS = 50
USUAL_DAYS = 30


@staff_view("loyalty.ledger")
@require_safe
def expiring(request: StaffRequest) -> HttpResponse:
    """Customers of one's branches, how many points, and the first day on which some expire."""
    form = ExpiringFilter(request.GET)
    form.is_valid()
    asked: dict[str, Any] = form.cleaned_data
    days = asked.get("days") or USUAL_DAYS
    branches, branch = branches_for_actor(request.actor), asked.get("branch")
    among = request.actor.branch_ids
    if branch is not None:
        among = frozenset({branch} if among is None else among & {branch})
    page = selectors.expiring_by_day(
        days, branch_ids=among, after=asked.get("after"), size=ROWS + 1
    )
    shown = page[:ROWS]
    people = selectors.people_of(shown)
    totals = selectors.expiring_totals(days, branch_ids=among)
    programme = selectors.programme()
    context = {
        "people": [(people[row.customer_id], row) for row in shown],
        "after": f"{shown[-1].expires_on} {shown[-1].customer_id}" if len(page) > ROWS else None,
        "totals": totals,
        "worth": selectors.rupees(totals.points * programme.point_value_paise),
        "programme": programme,
        "days": days,
        "days_offered": ExpiringFilter.DAYS,
        "branches": branches.order_by("name"),
        "branch": branch,
        "segment_url": _segment_url(days),
    }
    return render(request, "loyalty/expiring.html", context)


def _segment_url(days: int) -> str:
    """The builder with the rule that finds them, in the names of its form."""
    rule = {"field": "points_expire_days", "op": "within_next", "value": days}
    named = {f"rules.conditions.0.{name}": value for name, value in rule.items()}
    return f"{reverse('segment-new')}?{urlencode(named)}"
