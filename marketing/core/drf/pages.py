"""Lists are cursor pages by time-ordered id: stable under inserts, no count."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from marketing.core import errors

LIMITS = frozenset(str(size) for size in range(1, 201))


@dataclass(frozen=True)
class Rows:
    """What is read a page at a time, as far as cursor pagination asks a queryset for it.

    `read` takes `after`, `before` (ids or None), `newest_first` and `size`.
    """

    read: Callable[..., list[Any]]
    after: uuid.UUID | None = None
    before: uuid.UUID | None = None
    newest_first: bool = False

    def order_by(self, first: str) -> "Rows":
        return replace(self, newest_first=first.startswith("-"))

    def filter(self, *, id__gt: str | None = None, id__lt: str | None = None) -> "Rows":
        return replace(self, after=_position(id__gt), before=_position(id__lt))

    def __getitem__(self, window: slice) -> list[Any]:
        found = self.read(
            after=self.after,
            before=self.before,
            newest_first=self.newest_first,
            size=window.stop,
        )
        return found[window]


def _position(text: str | None) -> uuid.UUID | None:
    if text is None:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound(Pages.invalid_cursor_message) from None


class Pages(CursorPagination):
    """Cursor pages by time-ordered id: `?limit=` 1-200, `?ordering=id|-id`.

    Raises `ValidationFailed` at the parameter that says something else.
    """

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = "-id"

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if asked not in LIMITS:
            raise errors.ValidationFailed(
                fields={self.page_size_query_param: [_("A number from 1 to 200.")]}
            )
        return int(asked)

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        asked = request.query_params.get("ordering", "")
        allowed = getattr(view, "orderings", {"id": "id", "createdAt": "id"})
        field = allowed.get(asked.lstrip("-"))
        if asked and field is None:
            raise errors.ValidationFailed(fields={"ordering": [f"One of {', '.join(allowed)}."]})
        first = (
            getattr(view, "default_ordering", self.ordering)
            if field is None
            else (f"-{field}" if asked.startswith("-") else field)
        )
        tie = "-id" if first.startswith("-") else "id"
        return (first,) if first == tie else (first, tie)

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "data": data,
                "page": {
                    "next": self._cursor(self.get_next_link()),
                    "prev": self._cursor(self.get_previous_link()),
                    "size": len(data),
                },
            },
            headers={"X-Enveloped": "page"},
        )

    @staticmethod
    def _cursor(link: str | None) -> str | None:
        return parse_qs(urlsplit(link).query)["cursor"][0] if link else None
