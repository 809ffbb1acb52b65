import datetime as dt

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from marketing.core.models import Branch
from marketing.core.tenancy import TenantModel


def all_channels() -> dict[str, bool]:
    return {"whatsapp": True, "sms": True, "email": True}


class MarketingConfig(TenantModel):
    """The chain's settings: Module 11's columns and defaults, and what was added to them.

    A channel's provider, sender and key live in its default `ProviderAccount`. Links count as
    over `link_days` after their message was made (None: when the message goes). With
    `locked_templates_only` branches send only messages that head office has locked. The
    `postal_address` stands under offers by e-mail.
    """

    marketing_enabled = models.BooleanField(default=True)
    whatsapp_enabled = models.BooleanField(default=True)
    sms_enabled = models.BooleanField(default=True)
    email_enabled = models.BooleanField(default=False)
    sms_fallback_enabled = models.BooleanField(default=True)
    send_window_start = models.TimeField(default=dt.time(9))
    send_window_end = models.TimeField(default=dt.time(21))
    daily_message_limit_per_customer = models.PositiveSmallIntegerField(default=2)
    weekly_message_limit_per_customer = models.PositiveSmallIntegerField(default=5)
    monthly_budget_limit = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    budget_alert_threshold_percent = models.PositiveSmallIntegerField(
        default=80, validators=[MaxValueValidator(100)]
    )
    campaign_approval_required = models.BooleanField(default=True)
    campaign_approval_threshold_recipients = models.PositiveIntegerField(default=100)
    approval_threshold_cost = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    approval_threshold_discount_percent = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(100)]
    )
    locked_templates_only = models.BooleanField(default=False, db_default=False)
    assumed_consent = models.JSONField(default=all_channels)
    stale_schedule_minutes = models.PositiveIntegerField(default=60)
    unknown_decision_hours = models.PositiveSmallIntegerField(default=24)
    message_retention_months = models.PositiveSmallIntegerField(
        default=24, validators=[MinValueValidator(1)]
    )
    track_whatsapp_links = models.BooleanField(default=True)
    track_sms_links = models.BooleanField(default=False)
    track_email_links = models.BooleanField(default=True)
    track_opens = models.BooleanField(default=True)
    add_utm = models.BooleanField(default=True)
    link_days = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    website = models.URLField(max_length=255, blank=True)
    postal_address = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_config_per_tenant")]


class BranchMarketingConfig(TenantModel):
    branch = models.OneToOneField(Branch, on_delete=models.CASCADE, related_name="marketing_config")
    marketing_enabled = models.BooleanField(default=True)
    monthly_budget_limit = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)


class HoldoutMember(TenantModel):
    """A customer kept out of promotional messages, so that their effect can be measured."""

    customer = models.OneToOneField(
        "customers.Customer", on_delete=models.CASCADE, related_name="holdout"
    )
    since = models.DateTimeField(auto_now_add=True)
