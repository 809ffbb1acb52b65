"""What the chain calls new, loyal or lost, and late: managers read, super owners change."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers.scoring import ensure_scoring
from customers.services import update_scoring
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.policy.forms import ScoresForm
from marketing.policy.views.refusals import accepted
from marketing.policy.views.tabs import tabs_for


@staff_view("config.view")
@require_http_methods(["GET", "POST"])
def scores(request: StaffRequest) -> HttpResponse:
    if request.method == "POST":
        request.actor.require("config.change")
    form = ScoresForm(request.POST or None, instance=ensure_scoring())
    if request.method == "POST" and accepted(
        form, lambda: update_scoring(actor=request.actor, values=form.changes)
    ):
        messages.success(request, _("Saved. Everybody is scored again in the background."))
        return redirect("settings-scores")
    return render(
        request,
        "policy/section.html",
        {
            "tabs": tabs_for(request.actor, "settings-scores"),
            "heading": _("Customer scores"),
            "form": form,
            "may_change": request.actor.can("config.change"),
        },
        status=422 if form.is_bound else 200,
    )
