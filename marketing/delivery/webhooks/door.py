"""The vendors' door: `/api/v1/webhooks/{provider}/{token}`."""

import hmac
import logging

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from marketing.core.errors import DomainError
from marketing.core.middleware import GetResponse, error_body
from marketing.delivery.providers.base import Call
from marketing.delivery.webhooks import inbox
from marketing.delivery.webhooks.addresses import Addressee, book

logger = logging.getLogger(__name__)

PREFIX = "/api/v1/webhooks/"
# Meta's largest request is 3 MB.
MAX_BODY_BYTES = 4 * 2**20
JUST_HEARD = ("text/plain", "")


class WebhookMiddleware:
    """Answers vendors before what is there for people: sessions, languages, forms, logins."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        response = _receive(request)
        response["Content-Length"] = str(len(response.content))
        return response


def _receive(request: HttpRequest) -> HttpResponse:
    provider, _, token = request.path_info.removeprefix(PREFIX).partition("/")
    try:
        return _answer(request, book.find(provider, token))
    except DomainError as error:
        logger.warning("webhook of %s refused: %s", provider, error.message)
        return JsonResponse(error_body(error), status=error.http_status)
    except DatabaseError:
        # The vendor comes again.
        logger.exception("webhook of %s not taken in", provider)
        return HttpResponse(status=503)


def _answer(request: HttpRequest, addressee: Addressee) -> HttpResponse:
    if request.method == "GET":
        return _answer_challenge(request, addressee)
    if request.method != "POST":
        return HttpResponseNotAllowed(["GET", "POST"])
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
        return HttpResponse(status=413)
    call = Call(
        url=f"{settings.PUBLIC_BASE_URL}{request.get_full_path()}",
        headers=request.headers,
        body=request.read(),
    )
    inbox.take_in(addressee=addressee, call=call)
    content_type, body = getattr(addressee.webhook, "ANSWER", JUST_HEARD)
    return HttpResponse(body, content_type)


def _answer_challenge(request: HttpRequest, addressee: Addressee) -> HttpResponse:
    """Meta's subscription check: the challenge comes back when the token is ours."""
    ours = addressee.account.credentials.get("verify_token", "")
    is_ours = hmac.compare_digest(request.GET.get("hub.verify_token", "").encode(), ours.encode())
    if ours and is_ours and request.GET.get("hub.mode") == "subscribe":
        return HttpResponse(request.GET.get("hub.challenge", ""), "text/plain")
    return HttpResponse(status=403)
