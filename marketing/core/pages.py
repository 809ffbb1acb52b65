"""What every HTML view shares: who may open it, and how a refusal looks."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.vary import vary_on_headers

from marketing.core.errors import DomainError, Forbidden, NotFound
from marketing.core.middleware import ActorRequest, error_body

View = Callable[..., HttpResponseBase]
VERSION_DIGITS = 9


def staff_view(permission: str) -> Callable[[View], View]:
    """A page for staff with this permission; others are sent to log in, or refused (403).

    Times on it are those of the chain's own zone.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        @vary_on_headers("HX-Request", "Cookie")
        def guarded(request: ActorRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = request.actor
            if actor is None or actor.staff is None:
                if request.user.is_authenticated:
                    raise Forbidden(_("This login has no staff record; ask a super owner for one."))
                return redirect_to_login(request.get_full_path())
            actor.require(permission)
            tenant = actor.user.tenant if actor.user else None
            with timezone.override(tenant.time_zone if tenant else None):
                return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def posted_version(request: HttpRequest) -> int | None:
    """The version that the form was shown with; None where it says none.

    What can be no version is 0, which nothing has: it is stale, and never passed over.
    """
    said = request.POST.get("version", "")
    if not said:
        return None
    return int(said) if said.isdecimal() and len(said) <= VERSION_DIGITS else 0


def way_back(request: HttpRequest) -> str:
    """The page of ours that `next` names; "" without one."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure())
    return asked if is_ours else ""


def part(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    title: str | Promise,
    within: Sequence[tuple[str, str]],
) -> HttpResponse:
    """A part of a page that HTMX fetches; where scripts are off, a page of its own.

    `within` are the pages above it, `(name, address)`, outermost first.
    """
    if request.headers.get("HX-Request"):
        return render(request, template, dict(context))
    return render(
        request, "part.html", {"part": template, "title": title, "within": within, **context}
    )


def error_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The refusal as a page, or as a fragment when HTMX asked."""
    name = {Forbidden: "403.html", NotFound: "404.html"}.get(type(error), "refused.html")
    return render(request, name, {"error": error}, status=error.http_status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Unknown addresses: the envelope below `/api/`, a page elsewhere."""
    if request.path.startswith("/api/"):
        return JsonResponse(error_body(NotFound()), status=404)
    return error_page(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of our own: the envelope below `/api/`, a page elsewhere."""
    if request.path.startswith("/api/"):
        return JsonResponse(error_body(DomainError()), status=500)
    return defaults.server_error(request)
