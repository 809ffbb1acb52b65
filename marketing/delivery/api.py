"""The message log over HTTP."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Channel
from customers.selectors import get_customer_for_actor
from marketing.core.drf.serializers import ApiSerializer
from marketing.core.drf.views import ApiView
from marketing.delivery import selectors
from marketing.delivery.content_sent import content_sent
from marketing.delivery.models import Message, MessageState, SendRun

NOT_OVER = frozenset(
    {MessageState.QUEUED, MessageState.SENDING, MessageState.HELD, MessageState.UNKNOWN}
)


def status_of(message: Message) -> str:
    """The state in Module 11's words, to which all that is not over yet is "pending"."""
    return "pending" if message.state in NOT_OVER else message.state


class Outcome(ApiSerializer):
    """What became of a message, in our words."""

    state = serializers.ChoiceField(MessageState.choices)
    reason = serializers.CharField()
    sent_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True)
    failure_reason = serializers.CharField(source="error_detail")


class MessageOutput(Outcome):
    """Module 11's MessageLog, with `state` and `reason` of ours."""

    id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    branch_id = serializers.UUIDField(allow_null=True)
    customer_id = serializers.UUIDField()
    channel = serializers.ChoiceField(Channel.choices)
    message_type = serializers.ChoiceField(SendRun.Kind.choices, source="kind")
    campaign_id = serializers.UUIDField(allow_null=True)
    template_id = serializers.UUIDField(
        source="template_version.template_id", default=None, allow_null=True
    )
    content_sent = serializers.SerializerMethodField("get_content_sent")
    recipient_phone = serializers.SerializerMethodField("get_recipient_phone")
    recipient_email = serializers.SerializerMethodField("get_recipient_email")
    status = serializers.SerializerMethodField("get_status")
    provider = serializers.CharField(source="account.provider", default=None, allow_null=True)
    provider_message_id = serializers.CharField()
    message_cost = serializers.DecimalField(10, 4, source="counted_cost")
    created_at = serializers.DateTimeField()

    def get_content_sent(self, message: Message) -> str:
        return content_sent(message).body

    def get_recipient_phone(self, message: Message) -> str | None:
        return None if message.channel == Channel.EMAIL else message.address

    def get_recipient_email(self, message: Message) -> str | None:
        return message.address if message.channel == Channel.EMAIL else None

    def get_status(self, message: Message) -> str:
        return status_of(message)


class CustomerMessages(ApiView):
    permissions = {"GET": "customer.view"}

    @extend_schema(responses=MessageOutput(many=True))
    def get(self, request: Request, pk: uuid.UUID, **kwargs: Any) -> Response:
        """Every message to the customer, newest first."""
        customer = get_customer_for_actor(self.actor, pk)
        return self.page(selectors.messages_of_customer(customer), MessageOutput)
