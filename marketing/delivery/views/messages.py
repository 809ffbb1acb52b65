"""The messages of a customer as a panel of their page."""

import uuid

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers.panels import render_panel
from customers.selectors import get_customer_for_actor
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.delivery import selectors

PANEL_ROWS = 20


@require_safe
@staff_view("customer.view")
def customer_messages(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The newest messages to a customer."""
    customer = get_customer_for_actor(request.actor, pk)
    messages = list(selectors.messages_of_customer(customer)[:PANEL_ROWS])
    shown = {"messages": messages}
    return render_panel(request, customer, _("Messages"), "delivery/_customer_messages.html", shown)
