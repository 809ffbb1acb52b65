"""Every failure in the contract's envelope."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import transaction
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from marketing.core import errors
from marketing.core.drf.serializers import camel_case
from marketing.core.middleware import error_body


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every failure as the contract's envelope; what was half done is rolled back."""
    domain = as_domain_error(error)
    if domain is None:
        return None
    domain.fields = {as_travelled(path): faults for path, faults in domain.fields.items()}
    if transaction.get_connection().in_atomic_block and domain.http_status >= 500:
        transaction.set_rollback(True)
    headers = {}
    wait = getattr(error, "wait", None) or domain.details.get("retryAfter")
    if wait:
        headers["Retry-After"] = str(int(wait) or 1)
    if isinstance(domain, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = "Api-Key"
    return Response(error_body(domain), status=domain.http_status, headers=headers)


def as_travelled(path: str) -> str:
    """A service's `sender_id` or `branch_ids.0` under the name that the body gave it."""
    name, dot, rest = path.partition(".")
    return camel_case(name) + dot + rest


def as_domain_error(error: Exception) -> errors.DomainError | None:
    """The framework's exceptions as ours; None for what is a fault of our own."""
    if isinstance(error, errors.DomainError):
        return error
    if isinstance(error, serializers.ValidationError):
        return errors.ValidationFailed(fields=flatten(error.detail))
    if isinstance(error, RequestDataTooBig):
        return errors.TooLarge()
    if isinstance(error, exceptions.ParseError):
        return errors.ValidationFailed("The body is not valid JSON.")
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return errors.NotAuthenticated()
    if isinstance(error, exceptions.PermissionDenied | PermissionDenied):
        return errors.Forbidden(str(error) or "")
    if isinstance(error, exceptions.NotFound | Http404):
        return errors.NotFound()
    if isinstance(error, exceptions.Throttled):
        return errors.Throttled()
    if isinstance(error, exceptions.APIException):
        wrapped = errors.DomainError(str(error.detail))
        wrapped.code = f"MARKETING_{error.status_code}"
        wrapped.name = str(error.default_code).upper()
        wrapped.http_status = error.status_code
        return wrapped
    return None


def flatten(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Nested serializer errors as `{"lines.0.price": ["…"]}`."""
    if isinstance(detail, Mapping):
        items = [(str(key), value) for key, value in detail.items()]
    elif any(isinstance(value, Mapping | list) for value in detail):
        items = [(str(index), value) for index, value in enumerate(detail)]
    else:
        return {path or "nonFieldErrors": [str(message) for message in detail]}
    found: dict[str, list[str]] = {}
    for key, value in items:
        if value:
            found |= flatten(value, f"{path}.{key}" if path else key)
    return found
