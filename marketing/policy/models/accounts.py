from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from customers.models import Channel
from marketing.core.tenancy import TenantModel
from marketing.policy.crypto import EncryptedJSONField


class Provider(models.TextChoices):
    META = "meta", "Meta WhatsApp Cloud API"
    GUPSHUP = "gupshup", "Gupshup WhatsApp"
    TWILIO_WHATSAPP = "twilio_whatsapp", "Twilio WhatsApp"
    MSG91 = "msg91", "MSG91"
    TWILIO = "twilio", "Twilio SMS"
    SSL_WIRELESS = "ssl_wireless", "SSL Wireless"
    SENDGRID = "sendgrid", "SendGrid"
    SES = "ses", "Amazon SES"
    SMTP = "smtp", "SMTP"


class ProviderAccount(TenantModel):
    """An account at a vendor. `credentials` are encrypted, `sender` is not secret.

    Keys of both are the vendor's own; each vendor folder in delivery lists its. Concurrency
    and rate begin at Module 11's 50 and 10 a second. The circuit is open while
    `circuit_reason` is not empty; it closes by itself at `circuit_retry_at`, where that is set.
    `portfolio_limit` is how many different people may be written to in a moving 24 hours by
    all accounts of the same `portfolio` (WhatsApp's messaging limit); None: any number.
    """

    name = models.CharField(max_length=100)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    provider = models.CharField(max_length=20, choices=Provider.choices)
    base_url = models.URLField(max_length=255)
    credentials: Any = EncryptedJSONField(default=dict)
    sender = models.JSONField(default=dict)
    rate_per_second = models.PositiveIntegerField(default=10, validators=[MinValueValidator(1)])
    max_concurrency = models.PositiveSmallIntegerField(
        default=50, validators=[MinValueValidator(1)]
    )
    is_default = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    circuit_reason = models.CharField(max_length=255, blank=True)
    circuit_opened_at = models.DateTimeField(null=True, blank=True)
    circuit_retry_at = models.DateTimeField(null=True, blank=True)
    portfolio = models.CharField(max_length=100, blank=True)
    portfolio_limit = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="account_name"),
            models.UniqueConstraint(
                fields=["tenant", "channel"],
                condition=Q(is_default=True),
                name="one_default_account_per_channel",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookAddress(models.Model):
    """The unguessable part of a webhook's URL. Global: it is what names the tenant."""

    token = models.CharField(primary_key=True, max_length=64)
    tenant_id = models.UUIDField()
    account_id = models.UUIDField(unique=True)


class RateCard(TenantModel):
    """What a vendor charges a message (SMS: a segment) from a day on, four decimal places."""

    provider = models.CharField(max_length=20, choices=Provider.choices)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    country = models.CharField(max_length=2, default="IN")
    category = models.CharField(max_length=20)
    currency = models.CharField(max_length=3, default="INR")
    amount = models.DecimalField(max_digits=10, decimal_places=4)
    effective_from = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider", "channel", "country", "category", "effective_from"],
                name="rate_card",
            )
        ]
