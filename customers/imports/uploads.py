"""Refusing a file that is too large before it is read, and while it is."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from customers.imports.limits import MAX_BYTES

# What a form sends beside its file.
FORM_BYTES = 64 * 1024

View = Callable[..., HttpResponseBase]


class TooLarge(FileUploadHandler):
    """Ends an upload that turns out larger than it said."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > MAX_BYTES:
            self.request.is_too_large = True  # type: ignore[union-attr]
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def bounded_upload(view: View) -> View:
    """Mark requests whose body is too large, and leave it unread.

    Looking for the token of a form reads the body: the view asks for it (`csrf_protect`)
    behind this and behind its permission.
    """

    @wraps(view)
    def bounded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        request.is_too_large = length > MAX_BYTES + FORM_BYTES  # type: ignore[attr-defined]
        if request.is_too_large:  # type: ignore[attr-defined]
            request.upload_handlers = []
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        else:
            request.upload_handlers.insert(0, TooLarge(request))
        return view(request, *args, **kwargs)

    bounded.csrf_exempt = True  # type: ignore[attr-defined]
    return bounded
