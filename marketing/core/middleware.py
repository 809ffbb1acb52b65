"""Request id, the caller's address, and the tenant scope around what serves a known actor."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from marketing.core import api_keys
from marketing.core.actor import Actor, with_reach
from marketing.core.errors import DomainError, FormOnly
from marketing.core.models import Staff, User
from marketing.core.news import with_unread
from marketing.core.request_id import request_id
from marketing.core.tenancy import know_tenant, tenant_scope

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Give each request an id, in the log lines and in the `X-Request-Id` header."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_id.set(uuid.uuid4().hex[:16])
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = request_id.get()
            return response
        finally:
            request_id.reset(token)


class ForwardedMiddleware:
    """Take the caller's address from the proxy before us: it stands in proofs of consent.

    Of `X-Forwarded-For` only the last part is the proxy's own word; what comes before it
    anybody may have written. Only for where nobody comes but through the proxy.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        with suppress(ValueError):
            request.META["REMOTE_ADDR"] = str(ip_address(told))
        return self.get_response(request)


class ActorRequest(HttpRequest):
    """A request behind `TenantMiddleware`."""

    actor: Actor | None


class TenantMiddleware:
    """Open the actor's tenant scope around the view and the rendering of its template.

    Sets `request.actor`: a staff member's by session, another module's by
    `Authorization: Api-Key …`, else None. A view that raises leaves nothing half written.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: ActorRequest) -> HttpResponse:
        request.actor = None
        header = request.headers.get("Authorization", "")
        if header.startswith("Api-Key "):
            try:
                api_key = api_keys.authenticate(header.removeprefix("Api-Key ").strip())
            except DomainError as error:
                headers = {"WWW-Authenticate": "Api-Key"}
                return JsonResponse(error_body(error), status=error.http_status, headers=headers)
            with tenant_scope(api_key.tenant_id):
                know_tenant(api_key.tenant)
                request.actor = Actor.for_api_key(api_key)
                return self._rendered(request)
        user = request.user
        if isinstance(user, User) and user.tenant_id and user.is_active:
            with tenant_scope(user.tenant_id):
                staff = Staff.objects.select_related("user__tenant")
                staff = with_unread(with_reach(staff))
                if found := staff.filter(user=user, is_active=True).first():
                    know_tenant(found.user.tenant)
                    request.actor = Actor.for_staff(found)
                return self._rendered(request)
        return self.get_response(request)

    def _rendered(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code >= 500:
            transaction.set_rollback(True)
        if request.method == "GET" and isinstance(response, HttpResponseNotAllowed):
            return self._form_only(request, response)
        return response

    def _form_only(self, request: HttpRequest, refused: HttpResponseNotAllowed) -> HttpResponse:
        """The address of a refused form was opened anew, as after a change of language."""
        from marketing.core.pages import error_page

        page = error_page(request, FormOnly())
        page["Allow"] = refused["Allow"]
        return page

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A domain error nobody caught becomes a page (or fragment) with its status."""
        if not isinstance(exception, DomainError):
            return None
        from marketing.core.pages import error_page

        return error_page(request, exception)


def error_body(error: DomainError) -> dict[str, object]:
    """The failure envelope of the HTTP contract."""
    return {
        "success": False,
        "error": {
            "code": error.code,
            "name": error.name,
            "message": error.message,
            "fields": error.fields,
            "details": error.details,
            "requestId": request_id.get(),
        },
    }
