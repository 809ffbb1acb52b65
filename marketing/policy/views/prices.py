"""What vendors charge, from which day on: read by super owners, and added to."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketing.core import clock
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.tenancy import current_tenant
from marketing.policy import selectors, services
from marketing.policy.forms import RateCardForm
from marketing.policy.views.refusals import accepted
from marketing.policy.views.tabs import tabs_for


@staff_view("config.change")
@require_http_methods(["GET", "POST"])
def price_list(request: StaffRequest) -> HttpResponse:
    tenant = current_tenant()
    today = selectors.day_of(clock.now())
    form = RateCardForm(
        request.POST or None,
        initial={
            "effective_from": today,
            "country": tenant.country,
            "currency": tenant.currency,
        },
    )
    if request.method == "POST" and accepted(
        form, lambda: services.set_price(actor=request.actor, values=form.cleaned_data)
    ):
        messages.success(request, _("The price is set."))
        return redirect("price-list")
    return render(
        request,
        "policy/prices.html",
        {
            "tabs": tabs_for(request.actor, "price-list"),
            "cards": selectors.dated_prices(today),
            "form": form,
            "currency": tenant.currency,
        },
        status=422 if form.is_bound else 200,
    )
