"""The base of every API view."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketing.core import errors, idempotency
from marketing.core.actor import Actor
from marketing.core.drf.pages import Pages
from marketing.core.drf.plain import read_plain
from marketing.core.drf.serializers import ApiSerializer

VERSION_DIGITS = 9
LONGEST_KEY = 255


def let_go(response: Any) -> None:
    """View, request and response know each other. Once the answer is written they are parted:
    else both bodies, some hundred objects, wait for the collector, which then holds up whoever is
    being served.
    """
    context = response.renderer_context
    response.renderer_context = {}
    context["request"].parser_context = {}
    vars(context["view"]).clear()


class ApiView(APIView):
    """One operation, or the methods of one URL; `permissions` maps a method to its permission.

    `failures` describes answers, by status, that not every operation may give.
    """

    permissions: ClassVar[dict[str, str]] = {}
    failures: ClassVar[dict[str, str]] = {}

    @property
    def actor(self) -> Actor:
        return cast(Actor, self.request.auth)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        finished: Response = super().finalize_response(request, response, *args, **kwargs)
        finished.add_post_render_callback(let_go)
        return finished

    def read(self, serializer: type[ApiSerializer], **options: Any) -> dict[str, Any]:
        """The validated body. Raises `ValidationFailed` naming each field at fault."""
        if not options and (plain := read_plain(serializer, self.request.data)) is not None:
            return plain
        form = serializer(data=self.request.data, **options)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def expected_version(self, data: dict[str, Any]) -> int | None:
        """The version that the caller saw, of `If-Match` or of the body (taken out of `data`).

        Raises `ValidationFailed` for a header that is no number.
        """
        asked: int | None = data.pop("version", None)
        header = self.request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
        if not header or header == "*":
            return asked
        if not header.isdecimal() or len(header) > VERSION_DIGITS:
            raise errors.ValidationFailed(fields={"If-Match": ["The version, a number."]})
        return int(header)

    def once(
        self, operation: str, work: Callable[[], Response], *, required: bool = False
    ) -> Response:
        """Run `work` under the request's `Idempotency-Key`, if it carries one."""
        key = self.request.headers.get("Idempotency-Key", "")
        if not key:
            if required:
                raise errors.ValidationFailed(
                    "This operation needs an Idempotency-Key header.",
                    fields={"Idempotency-Key": ["Required."]},
                )
            return work()
        if len(key) > LONGEST_KEY:
            raise errors.ValidationFailed(
                fields={"Idempotency-Key": [f"At most {LONGEST_KEY} characters."]}
            )

        def answer() -> tuple[int, Any]:
            response = work()
            return response.status_code, response.data

        status, data = idempotency.run_once(
            actor=self.actor,
            key=key,
            operation=f"{self.request.method} {self.request.path} {operation}",
            body=self.request._request.body,
            work=answer,
        )
        return Response(data, status=status)

    def page(self, queryset: Any, serializer: type[ApiSerializer], **options: Any) -> Response:
        """One cursor page of the queryset, as the contract's list."""
        paginator = Pages()
        rows: Any = paginator.paginate_queryset(queryset, self.request, self)
        return paginator.get_paginated_response(serializer(rows, many=True, **options).data)
