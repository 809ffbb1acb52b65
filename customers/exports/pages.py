"""What every page has on which a list of customers is taken away as a file."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from customers.exports.services import CONTENT_TYPES, export_list, within_reach
from customers.models import Customer
from marketing.core.htmx import StaffRequest


def ask_for_kind(
    request: StaffRequest,
    customers: QuerySet[Customer],
    *,
    whom: str,
    within: tuple[str, str],
    query: str = "",
) -> HttpResponse:
    """The page on which the kind of file is chosen.

    `whom` is a sentence about who is in it, `within` the name and address of the page above it.
    """
    context = {
        "count": within_reach(request.actor, customers).count(),
        "is_masked": not request.actor.can("customer.export"),
        "whom": whom,
        "within": within,
        "query": query,
    }
    return render(request, "customers/export.html", context)


def hand_out(
    request: StaffRequest,
    customers: QuerySet[Customer],
    *,
    chosen_by: Mapping[str, Any],
    file_name: str,
) -> StreamingHttpResponse:
    """The file of the kind that was posted, as a stream."""
    kind = request.POST.get("format", "")
    export = export_list(actor=request.actor, customers=customers, format=kind, chosen_by=chosen_by)
    answer = StreamingHttpResponse(export.pieces, content_type=CONTENT_TYPES[kind])
    answer["Content-Disposition"] = f'attachment; filename="{file_name}.{kind}"'
    return answer
