"""The vendors' door, and the messages of a customer as a panel of their page."""

import logging
import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from customers.selectors import get_customer_for_actor
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.middleware import error_body
from marketing.core.pages import staff_view
from marketing.delivery import selectors
from marketing.delivery.providers.base import Call
from marketing.delivery.webhooks import inbox

logger = logging.getLogger(__name__)

PANEL_ROWS = 20


@csrf_exempt
@require_http_methods(["GET", "POST"])
def webhook(request: HttpRequest, provider: str, token: str) -> HttpResponse:
    """A vendor's webhook: verified, stored raw, answered at once.

    GET is Meta's subscription check: the challenge comes back when the token is ours.
    """
    try:
        address = inbox.find_address(provider, token)
        if request.method == "GET":
            asked = request.GET.get("hub.verify_token", "")
            if request.GET.get("hub.mode") == "subscribe" and inbox.is_verify_token(
                address=address, token=asked
            ):
                return HttpResponse(request.GET.get("hub.challenge", ""), "text/plain")
            return HttpResponse(status=403)
        call = Call(
            url=f"{settings.PUBLIC_BASE_URL}{request.get_full_path()}",
            headers=request.headers,
            body=request.body,
        )
        inbox.take_in(address=address, call=call)
    except DomainError as error:
        logger.warning("webhook of %s refused: %s", provider, error.message)
        return JsonResponse(error_body(error), status=error.http_status)
    return HttpResponse(status=200)


@require_safe
@staff_view("customer.view")
def customer_messages(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The newest messages to a customer."""
    customer = get_customer_for_actor(request.actor, pk)
    messages = list(selectors.messages_of_customer(customer)[:PANEL_ROWS])
    return render(request, "delivery/_customer_messages.html", {"messages": messages})
