"""Campaigns as they travel: Module 11's names and what was added to them."""

import datetime as dt
from decimal import ROUND_HALF_UP
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from customers.models import Channel
from marketing.campaigns import recurrence, wording
from marketing.campaigns.models import Campaign, CampaignStatus, CampaignType
from marketing.campaigns.selectors.progress import attach_figures
from marketing.core.actor import Actor
from marketing.core.drf.serializers import ApiSerializer
from marketing.core.logs import mask_phone
from marketing.core.models import Role
from marketing.coupons.api.coupons import coupon_shown
from marketing.coupons.api.serializers import CouponOutput
from marketing.coupons.selectors import coupon_of
from marketing.delivery.api import Outcome, status_of
from marketing.delivery.models import Message, MessageState, SendRun

PATTERNS = ["daily", "weekly", "monthly"]


def money(**options: Any) -> serializers.DecimalField:
    """Money on the wire: a string with two places, rounded half up."""
    return serializers.DecimalField(
        max_digits=14, decimal_places=2, rounding=ROUND_HALF_UP, **options
    )


SLOT_VALUES = (
    "What the templates' slots are filled with, by name, for all channels: a text by language, "
    "{'offer': {'en': …, 'hi': …}}; a number, a date (2026-11-30) or a link once, {'until': …}."
)


UNIQUE_CODES = "Each recipient gets a code of her own for the offer `couponId`."


class StepShape(ApiSerializer):
    """A channel of the plan; `afterMinutes` is how long a cascade waits before it."""

    channel = serializers.ChoiceField(Channel.choices)
    template_id = serializers.UUIDField()
    after_minutes = serializers.IntegerField(min_value=0, required=False)


class StepOutput(ApiSerializer):
    channel = serializers.ChoiceField(Channel.choices)
    template_id = serializers.UUIDField(allow_null=True)
    after_minutes = serializers.IntegerField()


class CampaignInput(ApiSerializer):
    name = serializers.CharField(max_length=100)
    description = serializers.CharField(required=False, allow_blank=True)
    campaign_type = serializers.ChoiceField(CampaignType.choices)
    channel = serializers.ChoiceField(Channel.choices, required=False)
    template_id = serializers.UUIDField(required=False)
    channel_mode = serializers.ChoiceField(SendRun.Mode.choices, required=False)
    steps = StepShape(many=True, required=False)
    slot_values = serializers.DictField(required=False, help_text=SLOT_VALUES)
    coupon_id = serializers.UUIDField(required=False, allow_null=True)
    unique_codes = serializers.BooleanField(required=False, help_text=UNIQUE_CODES)
    segment_id = serializers.UUIDField(required=False, allow_null=True)
    target_all_customers = serializers.BooleanField(required=False)
    exclude_segment_ids = serializers.ListField(child=serializers.UUIDField(), required=False)
    branch_ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_null=True
    )
    scheduled_at = serializers.DateTimeField(required=False, allow_null=True)
    recurrence_pattern = serializers.ChoiceField(PATTERNS, required=False, allow_null=True)
    recurrence_day = serializers.IntegerField(
        min_value=0, max_value=31, required=False, allow_null=True
    )
    recurrence_time = serializers.TimeField(
        input_formats=["%H:%M"], required=False, allow_null=True
    )
    recurrence_rule = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=recurrence.LONGEST_RULE,
        help_text="A rule of RFC 5545; on a second line `EXDATE` with the dates it skips.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """`steps` names channel and template as well as `channel` and `templateId` do."""
        if not self.partial and not attrs.get("steps"):
            required = self.fields["name"].error_messages["required"]
            missing = [name for name in ("channel", "template_id") if name not in attrs]
            if missing:
                raise serializers.ValidationError({name: [required] for name in missing})
        return attrs


class CampaignPatch(CampaignInput):
    version = serializers.IntegerField(required=False)


class VersionInput(ApiSerializer):
    """The version the caller saw, as an alternative to `If-Match`."""

    version = serializers.IntegerField(required=False)


class RejectInput(VersionInput):
    reason = serializers.CharField()


class ScheduleInput(VersionInput):
    scheduled_at = serializers.DateTimeField(required=False, allow_null=True)


class ResumeInput(VersionInput):
    """`sendNow` lets a recurring campaign make up at once for the time it missed."""

    send_now = serializers.BooleanField(required=False)


class SendInput(VersionInput):
    send_now = serializers.BooleanField(required=False)


class TestInput(ApiSerializer):
    """Phone and e-mail are your own when left out; others must be those of staff."""

    customer_id = serializers.UUIDField(required=False)
    language = serializers.CharField(required=False)
    with_samples = serializers.BooleanField(required=False)
    phone = serializers.CharField(required=False)
    email = serializers.CharField(required=False)


class CampaignList(serializers.ListSerializer[Any]):
    """Looks up the figures of all its campaigns at once."""

    def to_representation(self, data: Any) -> list[Any]:
        attach_figures(data)
        return super().to_representation(data)


class CampaignOutput(ApiSerializer):
    id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    campaign_type = serializers.ChoiceField(CampaignType.choices)
    channel = serializers.ChoiceField(Channel.choices)
    template_id = serializers.UUIDField(allow_null=True)
    channel_mode = serializers.ChoiceField(SendRun.Mode.choices)
    steps = StepOutput(many=True)
    slot_values = serializers.DictField(help_text=SLOT_VALUES)
    coupon_id = serializers.UUIDField(allow_null=True)
    unique_codes = serializers.BooleanField(help_text=UNIQUE_CODES)
    segment_id = serializers.UUIDField(allow_null=True)
    target_all_customers = serializers.BooleanField()
    exclude_segment_ids = serializers.ListField(child=serializers.UUIDField())
    branch_ids = serializers.ListField(child=serializers.UUIDField(), allow_null=True)
    scheduled_at = serializers.DateTimeField(allow_null=True)
    recurrence_pattern = serializers.ChoiceField(
        PATTERNS, source="recurrence.pattern", allow_null=True
    )
    recurrence_day = serializers.IntegerField(source="recurrence.day", allow_null=True)
    recurrence_time = serializers.TimeField(source="recurrence.time", allow_null=True)
    recurrence_rule = serializers.CharField()
    next_run_at = serializers.DateTimeField(allow_null=True)
    status = serializers.ChoiceField(CampaignStatus.choices)
    pause_reason = serializers.CharField()
    pause_detail = serializers.CharField()
    pause_message = serializers.SerializerMethodField("get_pause_message")
    requires_approval = serializers.BooleanField()
    submitted_by = serializers.UUIDField(source="submitted_by_id", allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.UUIDField(source="approved_by_id", allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    rejected_by = serializers.UUIDField(source="rejected_by_id", allow_null=True)
    rejected_at = serializers.DateTimeField(allow_null=True)
    rejection_reason = serializers.CharField()
    total_recipients = serializers.IntegerField(source="figures.audience")
    states = serializers.DictField(source="figures.states", child=serializers.IntegerField())
    sent_count = serializers.IntegerField(source="figures.sent")
    delivered_count = serializers.IntegerField(source="figures.delivered")
    read_count = serializers.IntegerField(source="figures.read")
    failed_count = serializers.IntegerField(source="figures.failed")
    estimated_cost = money()
    actual_cost = money(source="figures.cost")
    currency = serializers.CharField()
    started_at = serializers.DateTimeField(source="figures.started_at", allow_null=True)
    completed_at = serializers.DateTimeField(source="figures.completed_at", allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)

    class Meta:
        list_serializer_class = CampaignList

    def get_pause_message(self, campaign: Campaign) -> str:
        return wording.pause_message(campaign)

    def to_representation(self, instance: Any) -> Any:
        if self.parent is None:
            attach_figures([instance])
        instance.recurrence = recurrence.recurrence_parts(instance.recurrence_rule)
        instance.currency = self.context["currency"]
        return super().to_representation(instance)


class CampaignWithCoupon(CampaignOutput):
    """One campaign, with the offer that it brings as Module 11's `coupon`."""

    coupon = serializers.SerializerMethodField("get_coupon")

    @extend_schema_field(CouponOutput(allow_null=True))
    def get_coupon(self, campaign: Campaign) -> dict[str, Any] | None:
        return None if campaign.coupon is None else coupon_shown(coupon_of(campaign.coupon))


class CampaignAnswer(ApiSerializer):
    campaign = CampaignWithCoupon()


class Warning(ApiSerializer):
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField()


class SubmittedAnswer(CampaignAnswer):
    warnings = Warning(many=True)


class CreatedAnswer(SubmittedAnswer):
    estimated_recipients = serializers.IntegerField()
    estimated_cost = money()
    requires_approval = serializers.BooleanField()


class SendAnswer(CampaignAnswer):
    run_id = serializers.UUIDField()
    recipients_queued = serializers.IntegerField()
    estimated_completion_time = serializers.DateTimeField(allow_null=True)


class TestAnswer(ApiSerializer):
    message_id = serializers.UUIDField(source="pk")
    channel = serializers.ChoiceField(Channel.choices)
    language = serializers.CharField()
    state = serializers.ChoiceField(MessageState.choices)
    segments = serializers.IntegerField()
    cost = serializers.DecimalField(max_digits=10, decimal_places=4)


class TestsAnswer(TestAnswer):
    """The first channel's test, and with it those of all channels."""

    messages = TestAnswer(many=True)


class Attempt(Outcome):
    """One try to reach a person on one channel."""

    id = serializers.UUIDField()
    channel = serializers.ChoiceField(Channel.choices)
    failure_code = serializers.CharField(source="error_code")


class RecipientOutput(Outcome):
    """A person of a run, as the attempt whose state counts.

    `status` is Module 11's, `state` and `reason` are ours; `attempts` are all there were, in
    their order.
    """

    id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    campaign_id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    customer_name = serializers.CharField(source="customer.name")
    phone = serializers.SerializerMethodField(allow_null=True)
    email = serializers.SerializerMethodField(allow_null=True)
    status = serializers.SerializerMethodField()
    failure_code = serializers.CharField(source="error_code")
    provider_message_id = serializers.CharField()
    message_cost = serializers.DecimalField(source="counted_cost", max_digits=10, decimal_places=4)
    retry_count = serializers.SerializerMethodField("get_retry_count")
    last_retry_at = serializers.SerializerMethodField("get_last_retry_at")
    channel = serializers.ChoiceField(Channel.choices)
    attempts = Attempt(many=True)
    created_at = serializers.DateTimeField()

    def get_retry_count(self, message: Message) -> int:
        return max(message.tries - 1, 0)

    def get_last_retry_at(self, message: Message) -> dt.datetime | None:
        return message.sending_at if message.tries > 1 else None

    def get_phone(self, message: Message) -> str | None:
        if message.channel == Channel.EMAIL or not message.address:
            return None
        return shown_phone(self.context["actor"], message.address)

    def get_email(self, message: Message) -> str | None:
        return message.address or None if message.channel == Channel.EMAIL else None

    def get_status(self, message: Message) -> str:
        return status_of(message)


def shown_phone(actor: Actor, phone: str) -> str:
    """Masked for receptionists."""
    is_receptionist = actor.staff is not None and actor.staff.role == Role.RECEPTIONIST
    return mask_phone(phone) if is_receptionist else phone


class Metrics(ApiSerializer):
    total_recipients = serializers.IntegerField(source="audience")
    sent_count = serializers.IntegerField(source="sent")
    delivered_count = serializers.IntegerField(source="delivered")
    read_count = serializers.IntegerField(source="read")
    failed_count = serializers.IntegerField(source="failed")
    states = serializers.DictField(child=serializers.IntegerField())
    delivery_rate = serializers.FloatField(allow_null=True)
    read_rate = serializers.FloatField(allow_null=True)


class Cost(ApiSerializer):
    total_cost = money(source="cost")
    cost_per_message = serializers.DecimalField(max_digits=14, decimal_places=4, allow_null=True)
    currency = serializers.CharField()


class Period(ApiSerializer):
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class LinkOutput(ApiSerializer):
    """One link as its author wrote it; machines stand apart from people."""

    address = serializers.CharField()
    clicks = serializers.IntegerField()
    people = serializers.IntegerField()
    machine_clicks = serializers.IntegerField()


class EngagementOutput(ApiSerializer):
    """Clicks and openings; `clickedCount` and `openedCount` are people, once a run each."""

    clicks = serializers.IntegerField()
    clicked_count = serializers.IntegerField(source="clicked")
    machine_clicks = serializers.IntegerField()
    opens = serializers.IntegerField()
    opened_count = serializers.IntegerField(source="opened")
    machine_opens = serializers.IntegerField()
    links = LinkOutput(many=True)


class CouponMetrics(ApiSerializer):
    """What the campaign's offer did. `couponCode` is null where each has one of her own;
    `redemptionRate` is of the codes issued, else of the messages sent.
    """

    coupon_code = serializers.CharField(source="code", allow_null=True)
    issued_count = serializers.IntegerField(source="issued")
    redemption_count = serializers.IntegerField(source="redeemed")
    redemption_rate = serializers.FloatField(source="rate", allow_null=True)
    revenue_generated = money(source="revenue")
    discount_given = money(source="discount")


class AnalyticsOutput(ApiSerializer):
    campaign_id = serializers.UUIDField()
    campaign_name = serializers.CharField()
    channel = serializers.ChoiceField(Channel.choices)
    metrics = Metrics()
    engagement = EngagementOutput()
    coupon_metrics = CouponMetrics(allow_null=True)
    cost = Cost()
    period = Period()
