"""The campaign calendar, and the festivals in it."""

import datetime as dt
import re
import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from marketing.campaigns.forms import DayForm, FestivalForm
from marketing.campaigns.selectors.calendar import month_of
from marketing.campaigns.selectors.festivals import festivals_of_year, get_own_festival
from marketing.campaigns.selectors.suggestions import suggestions
from marketing.campaigns.services import festivals as services
from marketing.campaigns.views.refusals import show_at_fields
from marketing.core import clock
from marketing.core.errors import DomainError, NotFound
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.selectors import branches_for_actor

MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
YEAR = re.compile(r"20\d\d")


@staff_view("campaign.view")
@require_GET
def campaign_calendar(request: StaffRequest) -> HttpResponse:
    """A month of one's campaigns and of festivals; without a known month the present one."""
    now = clock.now()
    present = timezone.localtime(now).date().replace(day=1)
    asked = MONTH.fullmatch(request.GET.get("month", ""))
    first = dt.date(int(asked[1]), int(asked[2]), 1) if asked else present
    branches = list(branches_for_actor(request.actor))
    branch_id = _branch(request, {branch.pk for branch in branches})
    return render(
        request,
        "campaigns/calendar.html",
        {
            "month": month_of(request.actor, first, now, branch_id),
            "before": _month_text(first - dt.timedelta(days=1)),
            "after": _month_text(first + dt.timedelta(days=31)),
            "asked_month": _month_text(first),
            "is_present": first == present,
            "branches": branches,
            "branch_id": branch_id,
            "suggestions": suggestions(request.actor, now),
        },
    )


def _branch(request: StaffRequest, own: set[uuid.UUID]) -> uuid.UUID | None:
    """The branch that was asked for. Raises `NotFound` when it is not the actor's."""
    asked = request.GET.get("branch", "")
    if not asked:
        return None
    try:
        branch_id = uuid.UUID(asked)
    except ValueError as error:
        raise NotFound() from error
    if branch_id not in own:
        raise NotFound()
    return branch_id


def _month_text(day: dt.date) -> str:
    return day.strftime("%Y-%m")


@staff_view("campaign.view")
@require_http_methods(["GET", "POST"])
def festival_list(request: StaffRequest) -> HttpResponse:
    """The festivals of a year; super owners change them and add days of the chain's own."""
    asked = YEAR.fullmatch(request.GET.get("year", ""))
    year = int(asked[0]) if asked else timezone.localtime(clock.now()).year
    if request.method == "POST":
        request.actor.require("config.change")
    form = FestivalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            added = services.add_festival(actor=request.actor, **form.cleaned_data)
        except DomainError as error:
            show_at_fields(form, error)
        else:
            messages.success(request, _("“%(name)s” is in the calendar.") % {"name": added.name})
            return _to_year(form.cleaned_data["day"].year)
    return render(
        request,
        "campaigns/festivals.html",
        {
            "festivals": festivals_of_year(year),
            "year": year,
            "form": form,
            "may_change": request.actor.can("config.change"),
        },
        status=422 if form.errors else 200,
    )


@staff_view("config.change")
@require_POST
def festival_change(request: StaffRequest, known: str) -> HttpResponse:
    """Another day for a known festival, or whether the chain keeps it at all."""
    act = request.POST.get("act")
    year = YEAR.fullmatch(request.POST.get("year", ""))
    if act in ("hide", "show"):
        services.keep_festival(actor=request.actor, known=known, is_kept=act == "show")
        messages.success(request, _("Saved."))
        return _to_year(int(year[0]) if year else None)
    form = DayForm(request.POST)
    if form.is_valid():
        day = form.cleaned_data["day"]
        services.move_festival(actor=request.actor, known=known, day=day)
        messages.success(request, _("Saved."))
        return _to_year(day.year)
    messages.error(request, _("Give the day as a date."))
    return _to_year(int(year[0]) if year else None)


@staff_view("config.change")
@require_POST
def festival_remove(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a day of the chain's own out of the calendar."""
    festival = get_own_festival(request.actor, pk)
    services.remove_festival(actor=request.actor, festival=festival)
    messages.success(request, _("Removed."))
    return redirect("festival-list")


def _to_year(year: int | None) -> HttpResponse:
    address = reverse("festival-list")
    return redirect(f"{address}?year={year}" if year else address)
