"""Lists are cursor pages by time-ordered id: stable under inserts, no count."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from marketing.core import errors


class Pages(CursorPagination):
    """Cursor pages by time-ordered id: `?limit=` 1-200, `?ordering=id|-id`."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = "-id"

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
