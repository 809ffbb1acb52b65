"""The list of offers, and which of them stand beside which."""

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from marketing.core import clock
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.selectors import branches_for_actor
from marketing.coupons import selectors
from marketing.coupons.forms import OfferFilter
from marketing.coupons.models import Offer
from marketing.coupons.selectors import listing
from marketing.coupons.selectors.listing import OfferState
from marketing.coupons.selectors.stacking import relation, relations

PAGE_SIZE = 25
# More do not fit side by side.
MATRIX = 12
STACKED = 200


@staff_view("coupon.view")
@require_safe
def offer_list(request: StaffRequest) -> HttpResponse:
    """Offers by state, kind, branch and words, the latest first."""
    form = OfferFilter(request.GET)
    form.is_valid()
    asked: dict[str, Any] = form.cleaned_data
    found = _found(request, asked)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": listing.rows_of(list(page)),
        "branches": branches_for_actor(request.actor).order_by("name"),
        "is_filtered": any(asked.values()),
    }
    return render(request, "coupons/list.html", context)


def _found(request: StaffRequest, asked: dict[str, Any]) -> QuerySet[Offer]:
    found = listing.with_state(
        selectors.offers_for_actor(request.actor), timezone.localtime(clock.now())
    )
    if state := asked.get("state"):
        found = found.filter(Q(state=state))
    if kind := asked.get("kind"):
        found = found.filter(kind=kind)
    if opening := asked.get("opening"):
        found = found.filter(is_automatic=opening == "automatic")
    if branch := asked.get("branch"):
        found = listing.of_branch(found, branch)
    if text := asked.get("q", "").strip():
        found = listing.of_words(found, text)
    return found


@staff_view("coupon.view")
@require_safe
def offer_stacking(request: StaffRequest) -> HttpResponse:
    """Live offers beside each other: a matrix while they are few, and always one's own list."""
    now = timezone.localtime(clock.now())
    live = listing.with_state(selectors.offers_for_actor(request.actor), now).filter(
        Q(state__in=[OfferState.ON, OfferState.STARTS])
    )
    offers: list[Offer] = list(live.order_by("name")[:STACKED])
    by_pk = listing.current_terms(offers)
    terms = [by_pk[offer.pk] for offer in offers]
    chosen = next((one for one in terms if one.id == _wished(request)), None)
    chosen = chosen or (terms[0] if terms else None)
    matrix = []
    if len(terms) <= MATRIX:
        matrix = [
            (one, [None if one is other else relation(one, other) for other in terms])
            for one in terms
        ]
    context = {
        "offers": terms,
        "chosen": chosen,
        "relations": relations(chosen, terms) if chosen else [],
        "matrix": matrix,
    }
    return render(request, "coupons/stacking.html", context)


def _wished(request: StaffRequest) -> str:
    try:
        return str(uuid.UUID(request.GET.get("offer", "")))
    except ValueError:
        return ""
