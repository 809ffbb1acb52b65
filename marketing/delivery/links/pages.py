"""What a short link and an opening picture answer: to anybody, without a login."""

import base64

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from marketing.core.middleware import GetResponse
from marketing.delivery.links import agents, recording
from marketing.delivery.links.codes import UnknownCode

# One transparent point.
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class LinkMiddleware:
    """Leads on before what is there for people who stay: sessions, languages, logins.

    A link that leads nowhere goes on to its page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if request.method in ("GET", "HEAD"):
            if path.startswith("/r/"):
                try:
                    lead = recording.follow(path.removeprefix("/r/"), _visitor(request))
                except UnknownCode:
                    lead = None
                if lead and lead.url:
                    return _leading_to(lead.url)
            elif path.startswith("/o/") and path.endswith(".gif"):
                return opening(request, path[len("/o/") : -len(".gif")])
        return self.get_response(request)


@require_safe
def short_link(request: HttpRequest, code: str) -> HttpResponse:
    """Lead on to where the author's link leads, or say that it is over."""
    try:
        lead = recording.follow(code, _visitor(request))
    except UnknownCode:
        return _private(render(request, "delivery/link_unknown.html", status=404))
    if lead.url:
        return _leading_to(lead.url)
    spoken = lead.language if lead.language in dict(settings.LANGUAGES) else "en"
    with translation.override(spoken):
        return _private(render(request, "delivery/link_over.html", {"lead": lead}, status=410))


@require_safe
def opening(request: HttpRequest, code: str) -> HttpResponse:
    """The picture of an e-mail; a machine or a person loaded it."""
    try:
        recording.note_opening(code, _visitor(request))
    except UnknownCode:
        return _private(HttpResponse(status=404))
    return _private(HttpResponse(PICTURE, "image/gif"))


def _visitor(request: HttpRequest) -> agents.Visitor:
    return agents.judge(str(request.method), request.headers)


def _leading_to(url: str) -> HttpResponse:
    answer = HttpResponse(status=302)
    answer["Location"] = url
    return _private(answer)


def _private(answer: HttpResponse) -> HttpResponse:
    """Asked again each time, by nobody's search engine, and without telling whence."""
    answer["Content-Length"] = str(len(answer.content))
    answer["Cache-Control"] = "no-store, max-age=0"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
