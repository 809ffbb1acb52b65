"""Segments as they travel."""

from decimal import ROUND_HALF_UP
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketing.core.actor import Actor
from marketing.core.drf.serializers import ApiSerializer
from marketing.segments.models import Segment, SegmentType
from marketing.segments.services import MAX_MEMBERS

RULES_SCHEMA = {
    "type": "object",
    "required": ["operator", "conditions"],
    "properties": {
        "operator": {"type": "string", "enum": ["AND", "OR", "NOT"]},
        "conditions": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
    "examples": [
        {
            "operator": "AND",
            "conditions": [{"field": "last_visit_days", "op": "gt", "value": 30}],
        }
    ],
}


@extend_schema_field(RULES_SCHEMA)
class RulesField(serializers.JSONField):
    """A rule tree; the compiler checks it, and names each fault by its path."""


def _ids(**options: Any) -> serializers.ListField:
    return serializers.ListField(child=serializers.UUIDField(), **options)


class SegmentInput(ApiSerializer):
    name = serializers.CharField(max_length=100)
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    is_dynamic = serializers.BooleanField(default=True)
    rules = RulesField(required=False)
    branch_ids = _ids(required=False, allow_null=True)
    customer_ids = _ids(required=False, max_length=MAX_MEMBERS)
    phones = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=MAX_MEMBERS
    )


class SegmentPatch(ApiSerializer):
    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    rules = RulesField(required=False)
    branch_ids = _ids(required=False, allow_null=True)
    customer_ids = _ids(required=False, max_length=MAX_MEMBERS)
    version = serializers.IntegerField(required=False)


class PreviewInput(ApiSerializer):
    rules = RulesField()
    branch_ids = _ids(required=False, allow_null=True)
    segment_id = serializers.UUIDField(required=False, allow_null=True)


class SegmentOutput(ApiSerializer):
    """`customerCount` is the count within the caller's branches, as of `lastRefreshedAt`."""

    id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    segment_type = serializers.ChoiceField(SegmentType.choices)
    is_dynamic = serializers.BooleanField()
    rules = RulesField()
    customer_count = serializers.SerializerMethodField(method_name="count_for_actor")
    last_refreshed_at = serializers.DateTimeField(allow_null=True)
    branch_ids = _ids(allow_null=True)
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)

    def count_for_actor(self, segment: Segment) -> int:
        actor: Actor = self.context["actor"]
        return segment.count_within(actor.branch_ids)


class MemberOutput(ApiSerializer):
    """A customer of a segment; the numbers are null until her facts are computed."""

    id = serializers.UUIDField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    phone = serializers.CharField()
    home_branch_id = serializers.UUIDField(allow_null=True)
    last_visit_at = serializers.DateTimeField(
        source="facts.last_visit_at", default=None, allow_null=True
    )
    visit_count = serializers.IntegerField(
        source="facts.visit_count", default=None, allow_null=True
    )
    total_spend = serializers.DecimalField(
        source="facts.total_spend",
        max_digits=14,
        decimal_places=2,
        rounding=ROUND_HALF_UP,
        default=None,
        allow_null=True,
    )


class SegmentAnswer(ApiSerializer):
    segment = SegmentOutput()
    customer_count = serializers.IntegerField()
    unmatched = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="The phones of the request for which no customer was found.",
    )


class PreviewAnswer(ApiSerializer):
    customer_count = serializers.IntegerField()
    sample = MemberOutput(many=True)
    sentence = serializers.CharField()
