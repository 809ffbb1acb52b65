"""How the programme is set up; super owners only."""

import uuid

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.models import Service, ServiceCategory
from marketing.core.errors import SAVE_AGAIN, Conflict, DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import error_page, posted_version, staff_view
from marketing.loyalty import selectors, services
from marketing.loyalty.forms import ProgrammeForm, RatesForm, TierForm
from marketing.loyalty.models import EarnRate, LoyaltyProgramme, Tier


@staff_view("loyalty.config")
@require_http_methods(["GET", "POST"])
def programme(request: StaffRequest) -> HttpResponse:
    """The programme's settings, its tiers and the rates of categories and services."""
    kept = selectors.programme()
    form = ProgrammeForm(request.POST or None, instance=kept)
    if form.is_valid():
        try:
            services.update_programme(
                actor=request.actor, values=form.cleaned_data, version=posted_version(request)
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("points-settings")
    return _show(request, form, _rates_form())


@staff_view("loyalty.config")
@require_POST
def rates(request: StaffRequest) -> HttpResponse:
    """Save the categories' and services' own rates."""
    form = _rates_form(request)
    if form.is_valid():
        try:
            services.set_rates(
                actor=request.actor,
                categories=form.rates(),
                services=form.service_rates(),
                seen=request.POST.get("seen"),
            )
        except Conflict as error:
            form.add_error(None, f"{error.message} {SAVE_AGAIN}")
        else:
            messages.success(request, _("Saved."))
            return redirect("points-settings")
    return _show(request, ProgrammeForm(instance=selectors.programme()), form)


@staff_view("loyalty.config")
@require_http_methods(["GET", "POST"])
def tier(request: StaffRequest, pk: uuid.UUID | None = None) -> HttpResponse:
    """Make or change a tier."""
    kept = get_object_or_404(Tier.objects.all(), pk=pk) if pk else None
    by_spend = selectors.programme().tier_basis == LoyaltyProgramme.TierBasis.SPEND
    form = TierForm(request.POST or None, tier=kept, by_spend=by_spend)
    if form.is_valid():
        try:
            services.set_tier(actor=request.actor, tier=kept, **form.values())
        except Conflict as error:
            form.outdate(selectors.tiers())
            form.add_error(None, f"{error.message} {SAVE_AGAIN}")
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("points-settings")
    status = 422 if form.errors else 200
    return render(request, "loyalty/tier_form.html", {"form": form, "tier": kept}, status=status)


@staff_view("loyalty.config")
@require_POST
def tier_delete(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Take away a tier that nobody has."""
    try:
        services.delete_tier(actor=request.actor, tier=get_object_or_404(Tier.objects.all(), pk=pk))
    except DomainError as error:
        return error_page(request, error)
    messages.success(request, _("The tier is deleted."))
    return redirect("points-settings")


def _rates_form(request: StaffRequest | None = None) -> RatesForm:
    kept = list(EarnRate.objects.all())
    priced = Q(is_active=True) | Q(pk__in=[each.service_id for each in kept if each.service_id])
    return RatesForm(
        request.POST if request else None,
        categories=ServiceCategory.objects.order_by("name"),
        services=Service.objects.filter(priced),
        kept=kept,
    )


def _show(request: StaffRequest, form: ProgrammeForm, rates_form: RatesForm) -> HttpResponse:
    kept = selectors.programme()
    context = {
        "form": form,
        "rates_form": rates_form,
        "rates_seen": selectors.rates_mark(),
        "birthday_warning": selectors.birthday_warning(kept),
        "tiers": selectors.tiers(),
        "by_spend": kept.tier_basis == LoyaltyProgramme.TierBasis.SPEND,
        "version": kept.version if kept.tenant_id and not kept._state.adding else "",
    }
    status = 422 if form.errors or rates_form.errors else 200
    return render(request, "loyalty/settings.html", context, status=status)
