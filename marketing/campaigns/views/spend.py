"""Where a month's money went, as a page and as a file."""

import datetime as dt
import uuid
from contextlib import suppress

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from customers.exports.csv_writing import write_csv
from customers.models import Channel
from marketing.campaigns.selectors.spend import SpendReport, spend_report
from marketing.core import clock
from marketing.core.errors import NotFound
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.tenancy import current_tenant
from marketing.policy import selectors as policy


@staff_view("analytics.view")
@require_GET
def spend(request: StaffRequest) -> HttpResponse:
    """The money of `?month=2026-11` (the present one) and `?branch=` (all of the actor's)."""
    report = _report(request)
    total = report.total
    parts = [
        {"label": _("Spent"), "value": round(total.spent), "fill": "primary"},
        {"label": _("Promised"), "value": round(total.reserved), "fill": "warning"},
    ]
    if total.left is not None:
        parts.append({"label": _("Left"), "value": round(total.left), "fill": "neutral"})
    return render(
        request,
        "campaigns/spend.html",
        {
            "report": report,
            "branch": total.branch,
            "parts": parts,
            "is_present": report.month == policy.month_of(clock.now()),
        },
    )


@staff_view("analytics.view")
@require_GET
def spend_export(request: StaffRequest) -> StreamingHttpResponse:
    """The same month as CSV: a line for each campaign, channel and branch."""
    report = _report(request)
    branches = {row.branch.pk: row.branch.name for row in report.branches if row.branch}
    currency = current_tenant().currency
    month = f"{report.month:%Y-%m}"
    headings = [_("Month"), _("Campaign"), _("Channel"), _("Branch")]
    headings += [_("Promised"), _("Spent"), _("Currency")]
    rows = sorted(
        (
            month,
            report.names.get(entry.campaign_id, "") if entry.campaign_id else "",
            str(Channel(entry.channel).label) if entry.channel else "",
            branches.get(entry.branch_id, "") if entry.branch_id else "",
            entry.reserved,
            entry.spent,
            currency,
        )
        for entry in report.entries
    )
    answer = StreamingHttpResponse(
        write_csv(headings, rows),
        content_type="text/csv; charset=utf-8",
    )
    answer["Content-Disposition"] = f'attachment; filename="spend-{month}.csv"'
    return answer


def _report(request: StaffRequest) -> SpendReport:
    """Raises `NotFound` for a branch that is not the actor's; what is no month is this one."""
    now = clock.now()
    month = policy.month_of(now)
    with suppress(ValueError):
        month = dt.datetime.strptime(request.GET.get("month", ""), "%Y-%m").date()
    branch = None
    if asked := request.GET.get("branch"):
        try:
            branch = policy.get_branch_for_actor(request.actor, uuid.UUID(asked))
        except ValueError as error:
            raise NotFound() from error
    return spend_report(request.actor, month, now, branch)
