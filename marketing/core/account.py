"""One's own pages: news, how one is told of it, and who approves while one is away."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketing.core import news, services
from marketing.core.errors import DomainError
from marketing.core.forms import AwayForm, OwnForm
from marketing.core.htmx import StaffRequest
from marketing.core.models import Staff
from marketing.core.pages import staff_view
from marketing.core.services.delegations import delegations_for_actor, possible_delegates

PAGE_SIZE = 30


@staff_view("own.page")
@require_safe
def notification_list(request: StaffRequest) -> HttpResponse:
    """One's own news, newest first."""
    found = Paginator(news.notifications_of(request.actor), PAGE_SIZE)
    page = found.get_page(request.GET.get("page"))
    return render(
        request,
        "account/notifications.html",
        {"page": page, "news": news.told_to(request.actor, page)},
    )


@staff_view("own.page")
@require_safe
def notification_open(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Go to what the news is about; having seen it is having read it."""
    notification = services.mark_read(actor=request.actor, notification_id=pk)
    (told,) = news.told_to(request.actor, [notification])
    if told.is_out_of_sight:
        messages.info(request, told.title)
    return redirect(told.address)


@staff_view("own.page")
@require_POST
def notification_read_all(request: StaffRequest) -> HttpResponse:
    services.mark_all_read(actor=request.actor)
    return redirect("notification-list")


@staff_view("own.page")
@require_http_methods(["GET", "POST"])
def own_page(request: StaffRequest) -> HttpResponse:
    """Who one is to Parlour, and how one is told of news."""
    assert request.actor.staff is not None
    stored = Staff.objects.get(pk=request.actor.staff.pk)
    form = OwnForm(request.POST or None, instance=stored)
    if request.method == "POST" and _accepted(
        form, lambda: services.update_own(actor=request.actor, values=form.cleaned_data)
    ):
        messages.success(request, _("Saved."))
        return redirect("own-page")
    branches = stored.branches.order_by("name")
    return render(
        request,
        "account/own_page.html",
        {"form": form, "branches": branches, "away": request.actor.stands_in_for},
        status=422 if form.is_bound else 200,
    )


@staff_view("campaign.approve")
@require_http_methods(["GET", "POST"])
def away(request: StaffRequest) -> HttpResponse:
    """Who approves in one's place, and naming somebody."""
    form = AwayForm(
        request.POST or None,
        people=possible_delegates(request.actor),
        initial={"begins_on": timezone.localdate()},
    )
    if request.method == "POST" and _accepted(
        form, lambda: services.delegate_approvals(actor=request.actor, **form.values)
    ):
        name = form.cleaned_data["delegate"].name
        messages.success(request, _("%(name)s approves in your place.") % {"name": name})
        return redirect("away")
    return render(
        request,
        "account/away.html",
        {
            "form": form if request.actor.approves_itself else None,
            "delegations": delegations_for_actor(request.actor),
        },
        status=422 if form.is_bound else 200,
    )


@staff_view("campaign.approve")
@require_POST
def away_revoke(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    services.revoke_delegation(actor=request.actor, delegation_id=pk)
    messages.success(request, _("It is over."))
    return redirect("away")


def _accepted(form: BaseForm, work: Callable[[], object]) -> bool:
    """Whether the form is valid and the service took it; if not, the form says why."""
    if not form.is_valid():
        return False
    try:
        work()
    except DomainError as error:
        for name, faults in error.fields.items():
            for fault in faults:
                form.add_error(name if name in form.fields else None, fault)
        if not error.fields:
            form.add_error(None, error.message)
        return False
    return True
