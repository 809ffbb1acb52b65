"""How bills are priced: managers read, super owners change."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketing.core.errors import SAVE_AGAIN, Conflict
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.coupons import selectors, services
from marketing.coupons.forms.settings import CounterSettingsForm
from marketing.policy.views.refusals import accepted
from marketing.policy.views.tabs import tabs_for


@staff_view("config.view")
@require_http_methods(["GET", "POST"])
def counter_settings(request: StaffRequest) -> HttpResponse:
    if request.method == "POST":
        request.actor.require("config.change")
    form = CounterSettingsForm(request.POST or None, instance=selectors.counter_settings())
    if request.method == "POST" and accepted(form, lambda: _save(request, form)):
        messages.success(request, _("Saved. Bills are priced so from now on."))
        return redirect("counter-settings")
    return render(
        request,
        "policy/section.html",
        {
            "tabs": tabs_for(request.actor, "counter-settings"),
            "heading": _("Billing counter"),
            "form": form,
            "may_change": request.actor.can("config.change"),
        },
        status=422 if form.is_bound else 200,
    )


def _save(request: StaffRequest, form: CounterSettingsForm) -> None:
    try:
        services.update_counter_settings(
            actor=request.actor, values=form.changes, version=form.cleaned_data["version"]
        )
    except Conflict as error:
        form.outdate(error.details["current"])
        raise Conflict(f"{error.message} {SAVE_AGAIN}") from error
