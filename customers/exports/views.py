"""Taking a list of customers away as a file."""

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from customers import selectors
from customers.exports.services import CONTENT_TYPES, export_list
from customers.models import Customer
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view


@require_http_methods(["GET", "POST"])
@staff_view("customer.export_list")
def customer_list_export(request: StaffRequest) -> HttpResponseBase:
    """Choose a kind of file, and get it: whom the search finds, at the actor's branches."""
    asked = request.POST if request.method == "POST" else request.GET
    query = asked.get("q", "").strip()
    customers = selectors.branch_customers(request.actor)
    if query:
        found = selectors.search_customers(request.actor, query)
        customers = Customer.objects.filter(pk__in=found.values("pk"))
    if request.method == "GET":
        reached = selectors.branch_customers(request.actor) & customers
        context = {
            "query": query,
            "count": reached.count(),
            "is_masked": not request.actor.can("customer.export"),
        }
        return render(request, "customers/export.html", context)
    kind = asked.get("format", "")
    export = export_list(
        actor=request.actor, customers=customers, format=kind, chosen_by={"search": query}
    )
    answer = StreamingHttpResponse(export.pieces, content_type=CONTENT_TYPES[kind])
    answer["Content-Disposition"] = f'attachment; filename="customers.{kind}"'
    return answer
