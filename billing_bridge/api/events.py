"""What appointments, CRM, till and app report, over HTTP."""

import json
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing_bridge import services
from billing_bridge.models import RawRow
from billing_bridge.services import Applied
from marketing.core.actor import Actor
from marketing.core.drf.serializers import ApiSerializer
from marketing.core.drf.views import ApiView
from marketing.core.errors import ValidationFailed

MAX_EVENTS = 1_000
MAX_BYTES = 1024 * 1024
OPERATION = "events"


class EventRow(ApiSerializer):
    """An event: each is judged by itself, so that a bad one does not keep the others back."""

    id = serializers.CharField(max_length=100, help_text="The sender's; a second time, no effect.")
    name = serializers.CharField(max_length=60)
    customer = serializers.DictField(
        help_text="By id, externalId, phone or email; with a name she is entered if unknown."
    )
    occurred_at = serializers.DateTimeField()
    properties = serializers.DictField(required=False)


class EventsInput(ApiSerializer):
    events = EventRow(many=True, allow_empty=False, max_length=MAX_EVENTS)  # type: ignore[call-arg]


class EventError(ApiSerializer):
    index = serializers.IntegerField()
    id = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]


class EventsResult(ApiSerializer):
    """`duplicates` are ids taken in before; `errors` those that were not, by their place."""

    accepted = serializers.IntegerField()
    duplicates = serializers.ListField(child=serializers.CharField())
    errors = EventError(many=True)  # type: ignore[assignment]


EXAMPLE = OpenApiExample(
    "A visit",
    value={
        "events": [
            {
                "id": "visit-1041",
                "name": "visit.completed",
                "customer": {"phone": "+919876543210", "name": "Asha Rao"},
                "occurredAt": "2026-05-04T10:30:00+05:30",
                "properties": {"branchCode": "B001"},
            }
        ]
    },
    request_only=True,
)


class Events(ApiView):
    permissions = {"POST": "event.record"}

    @extend_schema(
        operation_id="recordEvents",
        request=EventsInput,
        responses=EventsResult,
        examples=[EXAMPLE],
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request) -> Response:
        """Take in up to 1,000 events: those that are right, whatever is wrong with others."""
        body = request._request.body
        with services.recording(
            actor=self.actor,
            operation=OPERATION,
            body=body,
            idempotency_key=request.headers.get("Idempotency-Key", ""),
        ) as came:

            def take() -> Response:
                events = events_of(body)
                taken = services.take_events(
                    actor=self.actor, events=events, where=f"events of {self.actor.label}"
                )
                made, error = outcome(taken)
                came.applied(made=made, error=error, customer_ids=taken.customer_ids)
                return Response(
                    {
                        "accepted": taken.accepted,
                        "duplicates": taken.duplicates,
                        "errors": taken.told(),
                    }
                )

            return self.once(OPERATION, take)


def events_of(body: bytes) -> list[Any]:
    """The list of the call. Raises `ValidationFailed` when the call as a whole cannot be read."""
    if len(body) > MAX_BYTES:
        raise ValidationFailed(
            fields={"events": ["A call weighs at most 1 MB."]},
            details={"limit": MAX_BYTES, "size": len(body)},
        )
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValidationFailed("The body is not valid JSON.") from error
    events = data.get("events") if isinstance(data, dict) else None
    if not isinstance(events, list) or not events or set(data) != {"events"}:
        raise ValidationFailed(fields={"events": ["A list of events, and nothing beside it."]})
    if len(events) > MAX_EVENTS:
        raise ValidationFailed(fields={"events": [f"At most {MAX_EVENTS} in a call."]})
    return events


def outcome(taken: services.Taken) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What the raw row keeps of a call."""
    made = {"accepted": taken.accepted, "duplicates": len(taken.duplicates)}
    if not taken.errors:
        return made, None
    errors = taken.kept()
    first = {name: errors[0][name] for name in ("code", "name", "message", "fields")}
    return made, {**first, "refused": len(errors), "errors": errors[:50]}


def replay_events(actor: Actor, row: RawRow) -> Applied:
    """Take a stored call in again: what was accepted counts as known, the rest has its chance."""
    events = events_of(bytes(row.body))
    taken = services.take_events(actor=actor, events=events, where=f"events of {actor.label}")
    made, error = outcome(taken)
    return Applied(made=made, customer_ids=taken.customer_ids, error=error or {})
