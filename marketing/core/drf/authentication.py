"""Who calls: the actor that the tenant middleware found, and what they may do."""

from typing import Any

from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from marketing.core import errors
from marketing.core.actor import Actor


class ActorAuthentication(BaseAuthentication):
    """The actor that `TenantMiddleware` found; sessions need the CSRF token to write."""

    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        actor: Actor | None = getattr(request._request, "actor", None)
        if actor is None:
            return None
        if actor.staff is not None:
            refusal = _CsrfCheck(lambda _: HttpResponse()).process_view(
                request._request, None, (), {}
            )
            if refusal:
                raise exceptions.PermissionDenied(f"CSRF failed: {refusal}")
        return actor.user or actor.api_key, actor

    def authenticate_header(self, request: Request) -> str:
        return "Api-Key"


class _CsrfCheck(CSRFCheck):
    def process_view(self, request: Any, *args: Any) -> Any:
        self.process_request(request)
        return super().process_view(request, *args)


class HasPermission(BasePermission):
    """The actor holds what the view's `permissions` names for this method; else refused."""

    def has_permission(self, request: Request, view: Any) -> bool:
        actor: Any = request.auth
        if actor is None:
            raise errors.NotAuthenticated()
        required = getattr(view, "permissions", {}).get(
            "GET" if request.method in ("HEAD", "OPTIONS") else request.method
        )
        if required is None:
            if request.method not in view.allowed_methods:
                raise exceptions.MethodNotAllowed(request.method or "")
            raise errors.Forbidden()
        actor.require(required)
        return True
