"""What every page has on which a list of customers is taken away as a file."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from customers.exports.services import Export, export_list, within_reach
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
    count = within_reach(request.actor, customers).count()
    hidden = {"q": query} if query else {}
    return show_kinds(request, count=count, whom=whom, within=within, hidden=hidden)


def show_kinds(
    request: StaffRequest,
    *,
    count: int | None,
    whom: str,
    within: tuple[str, str],
    hidden: Mapping[str, str],
) -> HttpResponse:
    """As `ask_for_kind`, of people counted already, or (None) not to be; `hidden` is posted too."""
    context = {
        "count": count,
        "is_masked": not request.actor.can("customer.export"),
        "whom": whom,
        "within": within,
        "hidden": hidden,
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
    return as_file(export, f"{file_name}.{kind}")


def as_file(export: Export, file_name: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(export.pieces, content_type=export.content_type)
    answer["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return answer
