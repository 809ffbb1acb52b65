"""Who is in the base twice: suggestions, two people side by side, and the way back."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers import comparison, selectors, services
from customers.models import Customer
from marketing.core.errors import DomainError, NotFound
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view

PAIRS = 50
MERGES = 20
FOUND = 20
CHOICE = "choice_"


@require_safe
@staff_view("customer.merge")
def duplicate_list(request: StaffRequest) -> HttpResponse:
    """Pairs that may be one person, the likeliest first, and the merges that can be undone."""
    pairs = selectors.open_duplicates(request.actor)[:PAIRS]
    context = {"pairs": pairs} | _merges(request.GET.get("before", ""))
    return render(request, "customers/duplicate_list.html", context)


@require_POST
@staff_view("customer.merge")
def duplicate_dismiss(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """They are two people."""
    pair = get_object_or_404(selectors.open_duplicates(request.actor), pk=pk)
    services.dismiss_duplicate(actor=request.actor, pair=pair)
    messages.success(request, _("They are kept apart and not suggested again."))
    return redirect("duplicate-list")


@require_safe
@staff_view("customer.merge")
def merge_choose(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Look for the other row of this person."""
    customer = selectors.get_customer_for_actor(request.actor, pk)
    query = request.GET.get("q", customer.phone or customer.name).strip()
    found = selectors.search_customers(request.actor, query).exclude(pk=customer.pk)
    context = {
        "customer": customer,
        "query": query,
        "found": selectors.first_of(found.order_by("-pk"), FOUND),
    }
    return render(request, "customers/merge_choose.html", context)


@require_http_methods(["GET", "POST"])
@staff_view("customer.merge")
def merge_compare(request: StaffRequest, pk: uuid.UUID, other: uuid.UUID) -> HttpResponse:
    """The two side by side; posted, they become one with the values that were chosen."""
    keep = selectors.get_customer_for_actor(request.actor, pk)
    gone = selectors.get_customer_for_actor(request.actor, other)
    if keep.pk == gone.pk:
        raise NotFound()
    error: DomainError | None = None
    choices = {
        name.removeprefix(CHOICE): str(value)
        for name, value in request.POST.items()
        if name.startswith(CHOICE)
    }
    if request.method == "POST":
        try:
            services.merge_customers(actor=request.actor, keep=keep, other=gone, choices=choices)
        except DomainError as refused:
            error = refused
        else:
            messages.success(
                request,
                _("They are one customer now. You can undo this for 30 days under Duplicates."),
            )
            return redirect("customer-detail", keep.pk)
    context = _comparison(keep, gone) | {"error": error}
    return render(
        request, "customers/merge_compare.html", context, status=error.http_status if error else 200
    )


@require_POST
@staff_view("customer.merge")
def merge_undo(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Make two of them again."""
    merge = get_object_or_404(selectors.recent_merges(), pk=pk)
    try:
        services.undo_merge(actor=request.actor, merge=merge)
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The merge is undone: they are two customers again."))
    return redirect("duplicate-list")


def _merges(before: str) -> dict[str, Any]:
    """One page of merges, those made before the merge of this id."""
    merges = selectors.recent_merges()
    try:
        merges = merges.filter(pk__lt=uuid.UUID(before)) if before else merges
    except ValueError:
        before = ""
    rows = list(merges[: MERGES + 1])
    return {
        "merges": rows[:MERGES],
        "before": before,
        "next_before": rows[MERGES - 1].pk if len(rows) > MERGES else None,
    }


def _comparison(keep: Customer, other: Customer) -> dict[str, Any]:
    return {"keep": keep, "other": other, "rows": comparison.rows(keep, other)}
