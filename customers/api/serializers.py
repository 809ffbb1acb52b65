"""Customers, consent and catalogue as they travel."""

import datetime as dt
import uuid
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from customers.models import Channel, ConsentRecord, ConsentState, Customer, CustomerFacts
from customers.rules import CHANNELS, CONSENT_PURPOSES
from marketing.core.drf.serializers import ApiSerializer
from marketing.core.ids import moment_of

MAX_BULK = 1_000
OPT_OUT_SOURCES = ["customer_request", "unsubscribe_link", "manual"]
KNOWN_BY = ("customer_id", "phone", "email", "token")


class CustomerFactsOutput(ApiSerializer):
    visit_count = serializers.IntegerField()
    first_visit_at = serializers.DateTimeField(allow_null=True)
    last_visit_at = serializers.DateTimeField(allow_null=True)
    visit_interval_days = serializers.FloatField(allow_null=True)
    total_spend = serializers.DecimalField(max_digits=12, decimal_places=2)
    spend_90_days = serializers.DecimalField(max_digits=12, decimal_places=2)
    spend_365_days = serializers.DecimalField(max_digits=12, decimal_places=2)
    average_ticket = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    membership_status = serializers.ChoiceField(["none", "active", "expired", "cancelled"])
    membership_expires_on = serializers.DateField(allow_null=True)
    has_active_package = serializers.BooleanField()
    package_sessions_left = serializers.IntegerField()
    package_expires_on = serializers.DateField(allow_null=True)
    engaged_90_days = serializers.IntegerField()
    last_engaged_at = serializers.DateTimeField(allow_null=True)
    stage = serializers.ChoiceField(CustomerFacts.Stage.choices)
    computed_at = serializers.DateTimeField()


class CustomerOutput(ApiSerializer):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    name = serializers.CharField()
    phone = serializers.CharField()
    email = serializers.CharField()
    whatsapp_id = serializers.CharField()
    birth_date = serializers.DateField(allow_null=True)
    anniversary = serializers.DateField(allow_null=True)
    gender = serializers.ChoiceField(["", *Customer.Gender.values])
    language = serializers.CharField()
    preferred_channel = serializers.ChoiceField(Channel.choices)
    home_branch_id = serializers.UUIDField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    attributes = serializers.DictField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    currency = serializers.SerializerMethodField()
    facts = serializers.SerializerMethodField()

    def get_currency(self, customer: Customer) -> str:
        currency: str = self.context["currency"]
        return currency

    @extend_schema_field(CustomerFactsOutput(allow_null=True))
    def get_facts(self, customer: Customer) -> dict[str, Any] | None:
        facts = getattr(customer, "facts", None)
        return CustomerFactsOutput(facts).data if facts else None


class CustomerPatch(ApiSerializer):
    external_id = serializers.CharField(
        max_length=100, required=False, allow_null=True, allow_blank=True
    )
    first_name = serializers.CharField(max_length=100, required=False)
    last_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    whatsapp_id = serializers.CharField(max_length=140, required=False, allow_blank=True)
    birth_date = serializers.DateField(required=False, allow_null=True)
    anniversary = serializers.DateField(required=False, allow_null=True)
    gender = serializers.ChoiceField(Customer.Gender.choices, required=False, allow_blank=True)
    language = serializers.CharField(max_length=10, required=False)
    preferred_channel = serializers.ChoiceField(Channel.choices, required=False)
    home_branch_id = serializers.UUIDField(required=False, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False)
    attributes = serializers.DictField(required=False)
    latitude = serializers.FloatField(min_value=-90, max_value=90, required=False, allow_null=True)
    longitude = serializers.FloatField(
        min_value=-180, max_value=180, required=False, allow_null=True
    )
    version = serializers.IntegerField(required=False)


class CustomerInput(CustomerPatch):
    first_name = serializers.CharField(max_length=100)
    source = serializers.SlugField(max_length=30, required=False)  # type: ignore[assignment]
    version = None  # type: ignore[assignment]  # there is none yet


class CustomerResult(ApiSerializer):
    customer = CustomerOutput()


class ConsentLine(ApiSerializer):
    """One line of the ledger; an empty purpose means every purpose of the channel."""

    channel = serializers.CharField()
    purpose = serializers.CharField()
    state = serializers.ChoiceField(ConsentRecord.State.choices)
    basis = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    reason = serializers.CharField()
    wording_version = serializers.CharField()
    language = serializers.CharField()
    user_id = serializers.UUIDField(allow_null=True)
    at = serializers.DateTimeField()


class ChannelConsent(ApiSerializer):
    promotional = serializers.BooleanField()
    service = serializers.BooleanField()
    basis = serializers.ChoiceField(["", "explicit", "assumed"])


class ConsentOutput(ApiSerializer):
    """Module 11's view; a channel counts as consented when promotions may go.

    `id`, `createdAt` and `updatedAt` are null while nothing is known of the customer's consent.
    """

    id = serializers.SerializerMethodField("get_id")
    tenant_id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    whatsapp_consent = serializers.BooleanField(source="whatsapp_promotional")
    sms_consent = serializers.BooleanField(source="sms_promotional")
    email_consent = serializers.BooleanField(source="email_promotional")
    is_dnd = serializers.BooleanField()
    marketing_opted_out = serializers.BooleanField()
    opted_out_at = serializers.DateTimeField(allow_null=True)
    opt_out_source = serializers.CharField()
    preferred_channel = serializers.CharField(source="customer.preferred_channel")
    preferred_language = serializers.CharField(source="customer.language")
    channels = serializers.SerializerMethodField()
    created_at = serializers.SerializerMethodField("get_created_at")
    updated_at = serializers.DateTimeField(allow_null=True)

    def get_id(self, state: ConsentState) -> uuid.UUID | None:
        return None if state._state.adding else state.pk

    def get_created_at(self, state: ConsentState) -> dt.datetime | None:
        return None if state._state.adding else moment_of(state.pk)

    @extend_schema_field(serializers.DictField(child=ChannelConsent()))
    def get_channels(self, state: ConsentState) -> dict[str, Any]:
        return {
            channel: {
                name: getattr(state, f"{channel}_{name}") for name in (*CONSENT_PURPOSES, "basis")
            }
            for channel in CHANNELS
        }


class ConsentResult(ApiSerializer):
    consent = ConsentOutput()
    history = ConsentLine(many=True)


class ConsentPatch(ApiSerializer):
    whatsapp_consent = serializers.BooleanField(required=False)
    sms_consent = serializers.BooleanField(required=False)
    email_consent = serializers.BooleanField(required=False)
    whatsapp_promotional = serializers.BooleanField(required=False)
    whatsapp_service = serializers.BooleanField(required=False)
    sms_promotional = serializers.BooleanField(required=False)
    sms_service = serializers.BooleanField(required=False)
    email_promotional = serializers.BooleanField(required=False)
    email_service = serializers.BooleanField(required=False)
    is_dnd = serializers.BooleanField(required=False)
    marketing_opted_out = serializers.BooleanField(required=False)
    preferred_channel = serializers.ChoiceField(Channel.choices, required=False)
    preferred_language = serializers.CharField(max_length=10, required=False)
    source = serializers.SlugField(max_length=50, required=False)  # type: ignore[assignment]
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    wording_version = serializers.CharField(max_length=50, required=False, allow_blank=True)
    ip_address = serializers.IPAddressField(required=False)


class OptOutInput(ApiSerializer):
    """Exactly one of the first four."""

    customer_id = serializers.UUIDField(required=False)
    phone = serializers.CharField(max_length=40, required=False)
    email = serializers.CharField(max_length=254, required=False)
    token = serializers.CharField(max_length=300, required=False)
    source = serializers.ChoiceField(OPT_OUT_SOURCES, default="customer_request")  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in KNOWN_BY) != 1:
            raise serializers.ValidationError(
                "Name the customer by exactly one of customerId, phone, email and token."
            )
        return attrs


class OptOutResult(ApiSerializer):
    """The same whether or not anybody was found."""

    accepted = serializers.BooleanField()


class TextOrNull(serializers.CharField):
    """A text that travels as null when it is empty."""

    def to_representation(self, value: str) -> str | None:  # type: ignore[override]
        return value or None


class TimelineEvent(ApiSerializer):
    """Module 11's event of a timeline; `title` says it in words."""

    type = serializers.CharField()
    date = serializers.DateTimeField(source="at")
    title = serializers.CharField()
    channel = TextOrNull(allow_null=True)
    campaign_name = TextOrNull(allow_null=True)
    trigger_type = TextOrNull(allow_null=True)
    status = TextOrNull(allow_null=True)
    coupon_code = TextOrNull(allow_null=True)
    coupon_redeemed = serializers.BooleanField(allow_null=True)
    feedback_rating = serializers.IntegerField(allow_null=True)
    branch_name = TextOrNull(allow_null=True)
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)


class TimelineResult(ApiSerializer):
    customer_id = serializers.UUIDField()
    events = TimelineEvent(many=True)


class CategoryRow(ApiSerializer):
    external_id = serializers.CharField(max_length=100)
    name = serializers.CharField(max_length=100)


class CategoriesInput(ApiSerializer):
    categories = CategoryRow(many=True, allow_empty=False, max_length=MAX_BULK)  # type: ignore[call-arg]


class CategoryOutput(CategoryRow):
    id = serializers.UUIDField()


class CategoriesResult(ApiSerializer):
    categories = CategoryOutput(many=True)


class ServiceRow(ApiSerializer):
    external_id = serializers.CharField(max_length=100)
    category_external_id = serializers.CharField(max_length=100, source="category")
    name = serializers.CharField(max_length=100)
    price = serializers.DecimalField(max_digits=10, decimal_places=2, min_value=0)
    tax_rate = serializers.DecimalField(
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        required=False,
        allow_null=True,
        help_text="GST, per cent. Left out: as it was. Bills go by it where a line names none.",
    )
    duration_minutes = serializers.IntegerField(min_value=0, max_value=1440, default=30)
    is_active = serializers.BooleanField(default=True)


class ServicesInput(ApiSerializer):
    services = ServiceRow(many=True, allow_empty=False, max_length=MAX_BULK)  # type: ignore[call-arg]


class ServiceOutput(ServiceRow):
    id = serializers.UUIDField()
    category_external_id = serializers.CharField(source="category.external_id")


class ServicesResult(ApiSerializer):
    services = ServiceOutput(many=True)
