"""Follow-ups on a phone held in one hand: whom to call, and what came of it."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer
from customers.selectors import get_customer_for_actor
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, NotFound, ValidationFailed
from marketing.core.htmx import StaffRequest
from marketing.core.models import Staff
from marketing.core.pages import View, error_page, staff_view, way_back
from marketing.core.tenancy import current_tenant
from marketing.followups import rules, selectors, services
from marketing.followups.forms import FollowupForm, InactiveForm
from marketing.followups.models import FollowupReminder
from marketing.followups.selectors import Due

PAGE_SIZE = 25
# Who looks further chooses other days: each page costs as much as those before it.
INACTIVE_PAGES = 40
DAYS_OFFERED = (30, 60, 90, 180, 365)
EVERYBODY = "all"
TABS = {
    Due.TODAY: gettext_lazy("Today"),
    Due.OVERDUE: gettext_lazy("Overdue"),
    Due.COMING: gettext_lazy("Coming"),
    Due.DONE: gettext_lazy("Over"),
}


@staff_view("followup.use")
@require_safe
def followup_list(request: StaffRequest) -> HttpResponse:
    """One's own reminders by day; managers choose somebody of their branches, or everybody."""
    actor = request.actor
    asked, chosen = _chosen_staff(request)
    reminders = selectors.followups_for_actor(actor)
    if asked != EVERYBODY:
        reminders = reminders.filter(staff=chosen)
    counts = selectors.counts_by_due(reminders)
    due = _due(request.GET.get("show", ""), counts)
    # Read for those of the page alone: joined, they would be for all that wait.
    whole = selectors.where_due(reminders, due).prefetch_related(
        "customer__consent", "staff", "branch", "created_by"
    )
    page = Paginator(whole, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "due": due,
        "tabs": [
            {
                "label": label,
                "url": f"?show={key}" + (f"&staff={asked}" if asked else ""),
                "active": key == due,
                "count": counts.get(key),
            }
            for key, label in TABS.items()
        ],
        "asked": asked,
        "colleagues": _colleagues(actor),
        "outcomes": FollowupReminder.Outcome,
    }
    return render(request, "followups/list.html", context)


@staff_view("followup.use")
@require_safe
def inactive_list(request: StaffRequest) -> HttpResponse:
    """Customers whose last visit with the staff member is longer ago than so many days."""
    form = InactiveForm(request.GET)
    if not form.is_valid():
        raise ValidationFailed(_("Choose a number of days from the list."))
    _asked, staff = _chosen_staff(request)
    days = form.cleaned_data["days"] or rules.INACTIVE_DAYS
    zone = selectors.zone_of_staff(staff)
    visits = selectors.last_visits_before(staff, days, zone).order_by("-visited_at", "-pk")
    first = _page_number(request.GET.get("page", ""))
    start = (first - 1) * PAGE_SIZE
    found = list(visits[start : start + PAGE_SIZE + 1])
    context = {
        "people": selectors.describe_visits(staff, found[:PAGE_SIZE], zone),
        "chosen": staff,
        "days": days,
        "days_offered": sorted({*DAYS_OFFERED, days}),
        "colleagues": _colleagues(request.actor),
        "currency": current_tenant().currency,
        "previous": first - 1 or None,
        "next": first + 1 if len(found) > PAGE_SIZE and first < INACTIVE_PAGES else None,
    }
    return render(request, "followups/inactive.html", context)


@staff_view("followup.use")
@require_http_methods(["GET", "POST"])
def followup_new(request: StaffRequest, customer: uuid.UUID) -> HttpResponse:
    """Be reminded of a customer; tomorrow, unless another day is chosen."""
    person = get_customer_for_actor(request.actor, customer)
    tomorrow = rules.local_day(clock.now(), _zone(request)) + rules.DAY
    initial = {"reminder_date": tomorrow, "staff": _chosen_staff(request)[1]}
    form = FollowupForm(request.POST or None, actor=request.actor, initial=initial)
    if form.is_valid():
        try:
            services.create_followup(actor=request.actor, customer=person, **form.cleaned_data)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The reminder about %s is saved.") % person.name)
            return redirect(_back(request))
    return _form_page(request, form, person)


@staff_view("followup.use")
@require_http_methods(["GET", "POST"])
def followup_edit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Change the day, the time, the note, or who calls."""
    followup = selectors.get_followup_for_actor(request.actor, pk)
    form = FollowupForm(request.POST or None, actor=request.actor, followup=followup)
    if form.is_valid():
        try:
            services.update_followup(
                actor=request.actor, followup=followup, values=form.cleaned_data
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return redirect(_back(request))
    return _form_page(request, form, followup.customer, followup)


@staff_view("followup.use")
@require_POST
def followup_complete(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Note what came of it; with `again`, be reminded once more tomorrow."""
    again = rules.SNOOZES["tomorrow"] if request.POST.get("again") else None
    return _act(
        request,
        pk,
        lambda each: services.complete_followup(
            actor=request.actor,
            followup=each,
            outcome=request.POST.get("outcome", ""),
            again_in_days=again,
        ),
        _("Noted; tomorrow again.") if again else _("Noted."),
    )


@staff_view("followup.use")
@require_POST
def followup_snooze(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Put it off to `until`: tomorrow or next_week."""
    return _act(
        request,
        pk,
        lambda each: services.snooze_followup(
            actor=request.actor, followup=each, until=request.POST.get("until", "")
        ),
        _("Put off."),
    )


def _act(
    request: StaffRequest, pk: uuid.UUID, act: Callable[[FollowupReminder], Any], done: str
) -> HttpResponse:
    """Do it and go back to where one was; a refusal is a page of its own, or a toast."""
    followup = selectors.get_followup_for_actor(request.actor, pk)
    try:
        act(followup)
    except NotFound:
        raise
    except DomainError as error:
        faults = [fault for faults in error.fields.values() for fault in faults]
        error.message = " ".join(faults) or error.message
        return error_page(request, error)
    messages.success(request, f"{followup.customer.name}: {done}")
    return redirect(_back(request))


def _doing(service: Callable[..., Any], done: Promise) -> View:
    """The page of what is done to a reminder without a word more."""

    @staff_view("followup.use")
    @require_POST
    def page(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
        return _act(
            request, pk, lambda each: service(actor=request.actor, followup=each), str(done)
        )

    return page


followup_dismiss = _doing(services.dismiss_followup, gettext_lazy("Dismissed."))
followup_reopen = _doing(services.reopen_followup, gettext_lazy("Open again."))
followup_delete = _doing(services.delete_followup, gettext_lazy("The reminder is deleted."))


def _form_page(
    request: StaffRequest,
    form: FollowupForm,
    customer: Customer,
    followup: FollowupReminder | None = None,
) -> HttpResponse:
    context = {"form": form, "customer": customer, "followup": followup, "back": _back(request)}
    return render(request, "followups/form.html", context, status=422 if form.errors else 200)


def _back(request: StaffRequest) -> str:
    return way_back(request) or reverse("followup-list")


def _chosen_staff(request: StaffRequest) -> tuple[str, Staff]:
    """What `staff` asked for, and whom it means: oneself, unless a colleague is named."""
    asked = request.GET.get("staff", "")
    me = _me(request)
    if not asked or (asked == EVERYBODY and request.actor.can("followup.manage")):
        return asked, me
    try:
        pk = uuid.UUID(asked)
    except ValueError:
        raise NotFound() from None
    return asked, selectors.get_colleague_for_actor(request.actor, pk)


def _me(request: StaffRequest) -> Staff:
    """Who looks at the page; `staff_view` lets nobody else in."""
    if request.actor.staff is None:
        raise NotFound()
    return request.actor.staff


def _zone(request: StaffRequest) -> str:
    return selectors.zone_of_staff(_me(request))


def _colleagues(actor: Actor) -> list[Staff]:
    """Whom a manager may choose; nobody else has a choice."""
    return list(selectors.colleagues_for_actor(actor)) if actor.can("followup.manage") else []


def _due(asked: str, counts: dict[str, int]) -> Due:
    """The group asked for; without one today, or what else waits."""
    if asked in TABS:
        return Due(asked)
    waiting = (due for due in (Due.TODAY, Due.OVERDUE, Due.COMING) if counts[due])
    return next(waiting, Due.TODAY)


def _page_number(asked: str) -> int:
    """1 for what is no page, so that an old link still shows somebody."""
    pages = {str(page): page for page in range(1, INACTIVE_PAGES + 1)}
    return pages.get(asked, 1)
