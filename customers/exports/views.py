"""Taking a list of customers away as a file."""

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers import selectors
from customers.exports.pages import ask_for_kind, hand_out
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view


@require_http_methods(["GET", "POST"])
@staff_view("customer.export_list")
def customer_list_export(request: StaffRequest) -> HttpResponseBase:
    """Choose a kind of file, and get it: whom the search finds, at the actor's branches."""
    asked = request.POST if request.method == "POST" else request.GET
    query = asked.get("q", "").strip()
    if query:
        customers = selectors.search_customers(request.actor, query)
        whom = _("Found by “%(query)s” at your branches.") % {"query": query}
    else:
        customers = selectors.branch_customers(request.actor)
        whom = _("Everybody at your branches.")
    if request.method == "POST":
        return hand_out(request, customers, chosen_by={"search": query}, file_name="customers")
    within = (_("Customers"), reverse("customer-list"))
    return ask_for_kind(request, customers, whom=whom, within=within, query=query)
