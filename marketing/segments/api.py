"""Segments over HTTP: each view reads, calls one service and writes the answer."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import django_filters
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from marketing.core import clock
from marketing.core.drf.filters import FlagFilter
from marketing.core.drf.views import ApiView
from marketing.core.errors import ValidationFailed
from marketing.segments import selectors, services
from marketing.segments.models import Segment, SegmentType
from marketing.segments.sentence import describe
from marketing.segments.serializers import (
    MemberOutput,
    PreviewAnswer,
    PreviewInput,
    SegmentAnswer,
    SegmentInput,
    SegmentOutput,
    SegmentPatch,
)


class SegmentFilter(django_filters.FilterSet):
    segmentType = django_filters.ChoiceFilter(  # noqa: N815  as it travels
        field_name="segment_type", choices=SegmentType.choices
    )
    isDynamic = FlagFilter(field_name="is_dynamic")  # noqa: N815
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Segment
        fields: list[str] = []


class SegmentApiView(ApiView):
    """What the views of segments share."""

    def segment(self, pk: uuid.UUID) -> Segment:
        return selectors.get_segment_for_actor(self.actor, pk)

    def answer(self, segment: Segment, status: int = 200, **more: Any) -> Response:
        shown = SegmentOutput(segment, context={"actor": self.actor}).data
        body = {"segment": shown, "customerCount": shown["customerCount"], **more}
        return Response(body, status=status)


class Segments(SegmentApiView):
    permissions = {"GET": "segment.view", "POST": "segment.manage"}

    @extend_schema(
        operation_id="listSegments",
        responses=SegmentOutput(many=True),
        parameters=[
            OpenApiParameter("segmentType", str, enum=SegmentType.values),
            OpenApiParameter("isDynamic", bool),
            OpenApiParameter("q", str, description="Part of the name."),
        ],
    )
    def get(self, request: Any) -> Response:
        """Built-in and chain-wide segments, and those of the caller's branches."""
        found = SegmentFilter(
            request.query_params, queryset=selectors.segments_for_actor(self.actor)
        )
        if not found.is_valid():
            faults = {name: list(texts) for name, texts in found.errors.items()}
            raise ValidationFailed(fields=faults)
        return self.page(found.qs, SegmentOutput, context={"actor": self.actor})

    @extend_schema(
        operation_id="createSegment", request=SegmentInput, responses={201: SegmentAnswer}
    )
    def post(self, request: Any) -> Response:
        """Make a segment: dynamic by `rules`, or static by `customerIds` or `phones`."""
        return self.once("create", self._create)

    def _create(self) -> Response:
        data = self.read(SegmentInput)
        phones, is_dynamic = data.pop("phones", None), data.pop("is_dynamic")
        if is_dynamic == (phones is not None or "customer_ids" in data):
            raise ValidationFailed(
                fields={"isDynamic": ["True with rules; false with customerIds or phones."]}
            )
        if phones is None:
            return self.answer(services.create_segment(actor=self.actor, **data), status=201)
        match = selectors.match_phones(self.actor, phones)
        data["customer_ids"] = [*data.get("customer_ids", []), *match.customer_ids]
        segment = services.create_segment(actor=self.actor, **data)
        return self.answer(segment, status=201, unmatched=[*match.malformed, *match.unknown])


class OneSegment(SegmentApiView):
    permissions = {"GET": "segment.view", "PATCH": "segment.manage", "DELETE": "segment.manage"}

    @extend_schema(operation_id="getSegment", responses=SegmentAnswer)
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        return self.answer(self.segment(pk))

    @extend_schema(operation_id="updateSegment", request=SegmentPatch, responses=SegmentAnswer)
    def patch(self, request: Any, pk: uuid.UUID) -> Response:
        """Change what is named; a stale `version` (or `If-Match`) answers 409."""
        segment = self.segment(pk)
        data = self.read(SegmentPatch)
        version = self.expected_version(data)
        changed = services.update_segment(
            actor=self.actor, segment=segment, values=data, version=version
        )
        return self.answer(changed)

    @extend_schema(operation_id="deleteSegment", responses={204: None})
    def delete(self, request: Any, pk: uuid.UUID) -> Response:
        """Take it out of use; 409 with `usedBy` while something uses it."""
        services.delete_segment(actor=self.actor, segment=self.segment(pk))
        return Response(status=204)


class SegmentCustomers(SegmentApiView):
    permissions = {"GET": "segment.manage"}

    @extend_schema(operation_id="listSegmentCustomers", responses=MemberOutput(many=True))
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        """Who is in it now, of the caller's branches."""
        members = selectors.members_for_actor(self.actor, self.segment(pk), now=clock.now())
        return self.page(members.select_related("facts"), MemberOutput)


class SegmentRefresh(SegmentApiView):
    permissions = {"POST": "segment.manage"}

    @extend_schema(operation_id="refreshSegment", request=None, responses=SegmentAnswer)
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        """Count it again now."""
        segment = self.segment(pk)
        return self.answer(services.refresh_segment(actor=self.actor, segment=segment))


class SegmentPreview(SegmentApiView):
    permissions = {"GET": "segment.manage", "POST": "segment.manage"}

    @extend_schema(
        operation_id="previewSegmentByQuery",
        responses=PreviewAnswer,
        parameters=[
            OpenApiParameter("rules", str, required=True, description="A rule tree as JSON."),
            OpenApiParameter("branchIds", str, description="Ids, separated by commas."),
        ],
    )
    def get(self, request: Any) -> Response:
        """Count and sample of rules, written into the address."""
        body: dict[str, Any] = {}
        if "rules" in request.query_params:
            body["rules"] = _json(request.query_params["rules"])
        if request.query_params.get("branchIds"):
            body["branchIds"] = request.query_params["branchIds"].split(",")
        return self._preview(body)

    @extend_schema(
        operation_id="previewSegment", request=PreviewInput, responses={200: PreviewAnswer}
    )
    def post(self, request: Any) -> Response:
        """Count and sample of rules that nothing keeps; faults by path of the condition."""
        return self._preview(request.data)

    def _preview(self, body: Any) -> Response:
        form = PreviewInput(data=body)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        preview = selectors.preview(
            self.actor,
            data["rules"],
            data.get("branch_ids"),
            segment_id=data.get("segment_id"),
            now=clock.now(),
        )
        return Response(
            {
                "customerCount": preview.count,
                "sample": MemberOutput(preview.sample, many=True).data,
                "sentence": describe(data["rules"], get_language() or "en"),
            }
        )


def _json(text: str) -> Mapping[str, Any]:
    try:
        value: Mapping[str, Any] = json.loads(text)
    except (ValueError, RecursionError):
        raise ValidationFailed(fields={"rules": ["This is not valid JSON."]}) from None
    return value
