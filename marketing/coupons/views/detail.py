"""One offer: its terms, what was used of it, its past, and what it costs."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import error_page, part, staff_view
from marketing.core.selectors import branches_for_actor
from marketing.coupons import selectors, services
from marketing.coupons.forms import RedemptionFilter
from marketing.coupons.models import Offer
from marketing.coupons.owners import owner_of
from marketing.coupons.selectors import listing, redeemed
from marketing.coupons.wording import sections

ROWS = 50


@staff_view("coupon.view")
@require_safe
def offer_detail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What it says, its uses and budget, and its history."""
    offer = selectors.get_offer_for_actor(request.actor, pk)
    terms = selectors.terms_of(offer)
    context = {
        "sections": [each for each in sections(terms, selectors.names_of([terms])) if each.lines],
        "figures": redeemed.figures_of(request.actor, offer),
        "history": selectors.history_of(offer),
        "may_change": services.may_change(request.actor, selectors.body_of(offer)),
        "owner": owner_of(offer.pk),
        **offer_shell(request, offer, "detail"),
    }
    return render(request, "coupons/detail.html", context)


@staff_view("coupon.view")
@require_safe
def offer_redemptions(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Bills of one's branches on which it was used, by day and branch."""
    offer = selectors.get_offer_for_actor(request.actor, pk)
    form = RedemptionFilter(request.GET)
    form.is_valid()
    asked: dict[str, Any] = form.cleaned_data
    found = redeemed.found(
        selectors.redemptions_of(request.actor, offer),
        since=asked.get("since"),
        until=asked.get("until"),
        branch_id=asked.get("branch"),
    )
    if after := asked.get("after"):
        found = found.filter(pk__lt=after)
    rows = list(found.select_related("branch", "customer", "code")[: ROWS + 1])
    context = {
        "form": form,
        "rows": rows[:ROWS],
        "after": rows[ROWS - 1].pk if len(rows) > ROWS else None,
        "branches": branches_for_actor(request.actor).order_by("name"),
        **offer_shell(request, offer, "redemptions"),
    }
    return render(request, "coupons/redemptions.html", context)


@staff_view("coupon.manage")
@require_safe
def offer_past_cost(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What the saved offer would have cost on the bills of the last 90 days."""
    offer = selectors.get_offer_for_actor(request.actor, pk)
    terms = selectors.terms_of(offer)
    context = {
        "cost": selectors.simulate(request.actor, terms, clock.now()),
        "by_code": not terms.automatic,
        "asked_cost": True,
    }
    within = [
        (_("Offers"), reverse("offer-list")),
        (offer.name, reverse("offer-detail", args=[offer.pk])),
    ]
    title = _("What would this cost us?")
    return part(request, "coupons/_cost.html", context, title=title, within=within)


@staff_view("coupon.manage")
@require_POST
def offer_switch(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Switch it off for new bills, or on again."""
    offer = selectors.get_offer_for_actor(request.actor, pk)
    on = request.POST.get("to") == "on"
    try:
        services.update_offer(actor=request.actor, offer=offer, values={"isActive": on})
    except DomainError as error:
        return error_page(request, error)
    messages.success(request, _("The offer is on.") if on else _("The offer is switched off."))
    return redirect("offer-detail", offer.pk)


def offer_shell(request: StaffRequest, offer: Offer, tab: str) -> dict[str, Any]:
    """What every page of an offer shows: its state, and the tabs."""
    now = timezone.localtime(clock.now())
    stated = listing.with_state(Offer.objects.filter(pk=offer.pk), now).get()
    tabs = [
        ("detail", _("Offer"), "offer-detail"),
        ("redemptions", _("Uses"), "offer-redemptions"),
    ]
    if request.actor.can("coupon.manage") and selectors.shows_codes(request.actor, offer):
        tabs.append(("codes", _("Codes"), "offer-codes"))
    return {
        "offer": offer,
        "row": listing.rows_of([stated])[0],
        "tabs": [
            {"label": label, "url": reverse(name, args=[offer.pk]), "active": key == tab}
            for key, label, name in tabs
        ],
    }
