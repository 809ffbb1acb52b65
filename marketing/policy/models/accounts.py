import datetime as dt
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.core import clock
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
    `test_fault` is what the vendor complained of at `tested_at`, empty if of nothing.
    `mailbox_fault` is why the mailbox of reports cannot be read since `mailbox_failing_since`.
    """

    class Connection(models.TextChoices):
        UNTESTED = "untested", _("Not tested yet")
        ASKED = "asked", _("Being tested")
        LOST = "lost", _("No answer")
        WORKS = "works", _("Works")
        FAILS = "fails", _("Does not work")

    TEST_LOST_AFTER = dt.timedelta(seconds=60)

    name = models.CharField(max_length=100)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    provider = models.CharField(max_length=20, choices=Provider.choices)
    base_url = models.URLField(max_length=255, blank=True)
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
    test_asked_at = models.DateTimeField(null=True, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    test_fault = models.CharField(max_length=500, blank=True)
    mailbox_fault = models.CharField(max_length=500, blank=True)
    mailbox_failing_since = models.DateTimeField(null=True, blank=True)
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

    @property
    def connection(self) -> Connection:
        """What the last test of the connection told."""
        if self.test_asked_at is None:
            return self.Connection.UNTESTED
        if self.tested_at is None or self.tested_at < self.test_asked_at:
            is_lost = clock.now() - self.test_asked_at > self.TEST_LOST_AFTER
            return self.Connection.LOST if is_lost else self.Connection.ASKED
        return self.Connection.FAILS if self.test_fault else self.Connection.WORKS

    def is_of_another_portfolio(self, other: "ProviderAccount") -> bool:
        """Whether two accounts are said to be of different business portfolios of WhatsApp's."""
        return bool(self.portfolio and other.portfolio) and self.portfolio != other.portfolio


class WebhookAddress(models.Model):
    """The unguessable part of a webhook's URL. Global: it is what names the tenant."""

    token = models.CharField(primary_key=True, max_length=64)
    tenant_id = models.UUIDField()
    account_id = models.UUIDField(unique=True)


class RateCard(TenantModel):
    """What a vendor charges a message (SMS: a segment) from a day on, four decimal places.

    `exchange_rate` is what one unit of `currency` costs in the chain's own, as the owner entered
    it with the price; None when it is the chain's own, or when nobody has said.
    """

    provider = models.CharField(max_length=20, choices=Provider.choices)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    country = models.CharField(max_length=2, default="IN")
    category = models.CharField(max_length=20)
    currency = models.CharField(max_length=3, default="INR")
    amount = models.DecimalField(max_digits=10, decimal_places=4)
    exchange_rate = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    effective_from = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider", "channel", "country", "category", "effective_from"],
                name="rate_card",
            ),
            models.CheckConstraint(
                condition=models.Q(exchange_rate__isnull=True) | models.Q(exchange_rate__gt=0),
                name="rate_card_exchange_rate_positive",
            ),
        ]
