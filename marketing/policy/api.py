"""The settings' endpoints, in Module 11's names."""

import uuid
from typing import Any

from django.forms.models import model_to_dict
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Channel
from marketing.core.drf.serializers import ApiSerializer
from marketing.core.drf.views import ApiView
from marketing.core.models import Branch
from marketing.core.money import round_money
from marketing.core.tenancy import current_tenant
from marketing.policy import selectors, services
from marketing.policy.models import MarketingConfig
from marketing.policy.vendors import VENDORS, secret_hint, vendors_of_channel

MONEY: dict[str, Any] = {"max_digits": 10, "decimal_places": 2, "min_value": 0, "allow_null": True}
TIME: dict[str, Any] = {"format": "%H:%M", "input_formats": ["%H:%M"]}


def vendor_names(channel: str) -> list[str]:
    return [vendor.name for vendor in vendors_of_channel(channel)]


class SecretHint(ApiSerializer):
    set = serializers.BooleanField()
    last4 = serializers.CharField()


class AssumedConsent(ApiSerializer):
    whatsapp = serializers.BooleanField(required=False)
    sms = serializers.BooleanField(required=False)
    email = serializers.BooleanField(required=False)


class ConfigColumns(ApiSerializer):
    """The columns that are read and written alike."""

    marketing_enabled = serializers.BooleanField()
    whatsapp_enabled = serializers.BooleanField()
    sms_enabled = serializers.BooleanField()
    email_enabled = serializers.BooleanField()
    sms_fallback_enabled = serializers.BooleanField()
    send_window_start = serializers.TimeField(**TIME)
    send_window_end = serializers.TimeField(**TIME)
    daily_message_limit_per_customer = serializers.IntegerField(min_value=0, max_value=1000)
    weekly_message_limit_per_customer = serializers.IntegerField(min_value=0, max_value=1000)
    monthly_budget_limit = serializers.DecimalField(**MONEY)
    budget_alert_threshold_percent = serializers.IntegerField(min_value=0, max_value=100)
    campaign_approval_required = serializers.BooleanField()
    campaign_approval_threshold_recipients = serializers.IntegerField(
        min_value=0, max_value=2_147_483_647
    )
    approval_threshold_cost = serializers.DecimalField(**MONEY)
    approval_threshold_discount_percent = serializers.IntegerField(
        min_value=0, max_value=100, allow_null=True
    )
    locked_templates_only = serializers.BooleanField()
    assumed_consent = AssumedConsent()
    stale_schedule_minutes = serializers.IntegerField(min_value=0, max_value=100_000)
    unknown_decision_hours = serializers.IntegerField(min_value=0, max_value=1_000)
    message_retention_months = serializers.IntegerField(min_value=1, max_value=1200)
    track_whatsapp_links = serializers.BooleanField()
    track_sms_links = serializers.BooleanField()
    track_email_links = serializers.BooleanField()
    track_opens = serializers.BooleanField()
    add_utm = serializers.BooleanField()
    link_days = serializers.IntegerField(min_value=1, max_value=32_767, allow_null=True)
    website = serializers.URLField(max_length=255, allow_blank=True)
    postal_address = serializers.CharField(max_length=255, allow_blank=True)


class ConfigInput(ConfigColumns):
    """Any part of the settings. A key is written here and never read back."""

    whatsapp_provider = serializers.ChoiceField(vendor_names(Channel.WHATSAPP))
    whatsapp_api_key = serializers.CharField(max_length=1000)
    whatsapp_business_number = serializers.CharField(max_length=20, allow_blank=True)
    whatsapp_business_id = serializers.CharField(max_length=100, allow_blank=True)
    whatsapp_portfolio = serializers.CharField(max_length=100, allow_blank=True)
    whatsapp_portfolio_limit = serializers.IntegerField(
        min_value=1, max_value=2_147_483_647, allow_null=True
    )
    sms_provider = serializers.ChoiceField(vendor_names(Channel.SMS))
    sms_api_key = serializers.CharField(max_length=1000)
    sms_sender_id = serializers.CharField(max_length=20, allow_blank=True)
    email_provider = serializers.ChoiceField(vendor_names(Channel.EMAIL))
    email_api_key = serializers.CharField(max_length=1000)
    email_from_address = serializers.EmailField(max_length=255, allow_blank=True)
    email_from_name = serializers.CharField(max_length=100, allow_blank=True)


class ConfigOutput(ConfigColumns):
    """The settings. A channel's provider columns are those of its default account."""

    id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    whatsapp_provider = serializers.CharField(allow_null=True)
    whatsapp_api_key = SecretHint()
    whatsapp_business_number = serializers.CharField(allow_null=True)
    whatsapp_business_id = serializers.CharField(allow_null=True)
    whatsapp_portfolio = serializers.CharField(allow_null=True)
    whatsapp_portfolio_limit = serializers.IntegerField(allow_null=True)
    sms_provider = serializers.CharField(allow_null=True)
    sms_api_key = SecretHint()
    sms_sender_id = serializers.CharField(allow_null=True)
    email_provider = serializers.CharField(allow_null=True)
    email_api_key = SecretHint()
    email_from_address = serializers.CharField(allow_null=True)
    email_from_name = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ConfigEnvelope(ApiSerializer):
    config = ConfigOutput()


class BranchConfigInput(ApiSerializer):
    marketing_enabled = serializers.BooleanField()
    monthly_budget_limit = serializers.DecimalField(**MONEY)


class BranchConfigOutput(BranchConfigInput):
    """The branch's settings and its money of the present month."""

    branch_id = serializers.UUIDField()
    month = serializers.DateField()
    current_month_spend = serializers.DecimalField(max_digits=16, decimal_places=2)
    current_month_reserved = serializers.DecimalField(max_digits=16, decimal_places=2)
    currency = serializers.CharField()


class BranchConfigEnvelope(ApiSerializer):
    config = BranchConfigOutput()


class ConfigView(ApiView):
    permissions = {"GET": "config.view", "PATCH": "config.change"}

    @extend_schema(operation_id="getMarketingConfig", responses=ConfigEnvelope)
    def get(self, request: Request) -> Response:
        """The chain's settings; of each key only whether it is set and how it ends."""
        return self._answer(selectors.get_config())

    @extend_schema(
        operation_id="updateMarketingConfig", request=ConfigInput, responses=ConfigEnvelope
    )
    def patch(self, request: Request) -> Response:
        """Change any of the settings; what is not named stays."""
        values = self.read(ConfigInput, partial=True)
        return self._answer(services.update_config(actor=self.actor, values=values))

    def _answer(self, config: MarketingConfig) -> Response:
        tenant = current_tenant()
        found = model_to_dict(config) | {
            "id": config.pk,
            "tenant_id": tenant.pk,
            "created_at": config.created_at,
            "updated_at": config.updated_at,
            "currency": tenant.currency,
            **default_account_columns(),
        }
        return Response(ConfigEnvelope({"config": found}).data)


class BranchConfigView(ApiView):
    permissions = {"GET": "config.view", "PATCH": "budget.config"}

    @extend_schema(operation_id="getBranchMarketingConfig", responses=BranchConfigEnvelope)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """One branch's settings, limit and spend of the present month."""
        return self._answer(selectors.get_branch_for_actor(self.actor, pk))

    @extend_schema(
        operation_id="updateBranchMarketingConfig",
        request=BranchConfigInput,
        responses=BranchConfigEnvelope,
    )
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Switch a branch's marketing on or off, or change its monthly limit (null: none)."""
        branch = selectors.get_branch_for_actor(self.actor, pk)
        values = self.read(BranchConfigInput, partial=True)
        services.update_branch_config(actor=self.actor, branch=branch, values=values)
        return self._answer(branch)

    def _answer(self, branch: Branch) -> Response:
        spend = selectors.branch_spend(branch)
        found = {
            "branch_id": branch.pk,
            "marketing_enabled": selectors.branch_config(branch.pk).marketing_enabled,
            "monthly_budget_limit": spend.limit,
            "month": spend.month,
            "current_month_spend": round_money(spend.spent),
            "current_month_reserved": round_money(spend.reserved),
            "currency": current_tenant().currency,
        }
        return Response(BranchConfigEnvelope({"config": found}).data)


def default_account_columns() -> dict[str, Any]:
    """Module 11's provider columns, read from each channel's default account."""
    accounts = {account.channel: account for account in selectors.default_accounts()}
    columns: dict[str, Any] = {}
    for column, channel in services.account_columns().items():
        account = accounts.get(channel)
        vendor = VENDORS[account.provider] if account else None
        found = vendor.field(column) if vendor else None
        group, key = found or ("", "")
        if column == f"{channel}_provider":
            columns[column] = vendor.name if vendor else None
        elif column in services.PORTFOLIO_COLUMNS:
            name = services.PORTFOLIO_COLUMNS[column]
            columns[column] = getattr(account, name) if account else None
        elif column.endswith("_api_key"):
            columns[column] = secret_hint(account.credentials.get(key, "") if account else "")
        else:
            columns[column] = account.sender.get(key) if account and group == "sender" else None
    return columns
