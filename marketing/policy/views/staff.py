"""The chain's people and their logins."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from marketing.core import selectors, services
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.policy.forms import StaffForm
from marketing.policy.views.refusals import accepted
from marketing.policy.views.tabs import tabs_for


@staff_view("config.change")
@require_safe
def staff_list(request: StaffRequest) -> HttpResponse:
    people = selectors.staff_for_actor(request.actor).order_by("-is_active", "name")
    return render(
        request,
        "policy/staff.html",
        {"tabs": tabs_for(request.actor, "staff-list"), "people": people},
    )


@staff_view("config.change")
@require_http_methods(["GET", "POST"])
def staff_new(request: StaffRequest) -> HttpResponse:
    form = StaffForm(request.POST or None)
    if request.method == "POST" and accepted(
        form, lambda: services.create_staff(actor=request.actor, values=form.values)
    ):
        name = form.cleaned_data["name"]
        messages.success(request, _("%(name)s can log in now.") % {"name": name})
        return redirect("staff-list")
    status = 422 if form.is_bound else 200
    return render(request, "policy/staff_form.html", {"form": form}, status=status)


@staff_view("config.change")
@require_http_methods(["GET", "POST"])
def staff_edit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    person = selectors.get_staff_for_actor(request.actor, pk)
    stored = selectors.get_staff_for_actor(request.actor, pk)
    form = StaffForm(request.POST or None, instance=stored)
    if request.method == "POST" and accepted(
        form,
        lambda: services.update_staff(actor=request.actor, staff=person, values=form.values),
    ):
        messages.success(request, _("Saved."))
        return redirect("staff-list")
    return render(
        request,
        "policy/staff_form.html",
        {"form": form, "person": person},
        status=422 if form.is_bound else 200,
    )
