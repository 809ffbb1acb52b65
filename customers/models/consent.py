"""Consent as a ledger of what was said, and one row of what follows from it."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from marketing.core.models import User
from marketing.core.tenancy import LooseTenantModel, TenantModel


class Channel(models.TextChoices):
    WHATSAPP = "whatsapp", _("WhatsApp")
    SMS = "sms", _("SMS")
    EMAIL = "email", _("E-mail")


class Purpose(models.TextChoices):
    PROMOTIONAL = "promotional", _("Promotional")
    SERVICE = "service", _("Service")
    TRANSACTIONAL = "transactional", _("Transactional")


class ConsentState(LooseTenantModel):
    """What a customer currently agrees to. Never cached; the gate reads it per message.

    A channel's basis is "explicit" (she said so), "assumed" (entered by staff under the
    tenant's `assumed_consent`) or empty (nothing is known, or she said no). `weekly_limit` is
    how many promotional and service messages she wants in seven days at most; None leaves it to
    the chain.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="consent")
    whatsapp_promotional = models.BooleanField(default=False)
    whatsapp_service = models.BooleanField(default=False)
    whatsapp_basis = models.CharField(max_length=10, blank=True)
    sms_promotional = models.BooleanField(default=False)
    sms_service = models.BooleanField(default=False)
    sms_basis = models.CharField(max_length=10, blank=True)
    email_promotional = models.BooleanField(default=False)
    email_service = models.BooleanField(default=False)
    email_basis = models.CharField(max_length=10, blank=True)
    is_dnd = models.BooleanField(default=False)
    marketing_opted_out = models.BooleanField(default=False)
    opted_out_at = models.DateTimeField(null=True, blank=True)
    opt_out_source = models.CharField(max_length=50, blank=True)
    weekly_limit = models.PositiveSmallIntegerField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)


class ConsentRecord(LooseTenantModel):
    """One line of the ledger: who said what, when, where and in which words. Never changed."""

    class State(models.TextChoices):
        GRANTED = "granted", _("Granted")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        DND_SET = "dnd_set", _("On the do-not-disturb register")
        DND_CLEARED = "dnd_cleared", _("Off the do-not-disturb register")
        OPTED_OUT = "opted_out", _("Opted out of all marketing")
        OPTED_IN = "opted_in", _("Came back after opting out")

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="consent_records", db_index=False
    )
    channel = models.CharField(max_length=20, choices=Channel.choices, blank=True)
    purpose = models.CharField(max_length=20, choices=Purpose.choices, blank=True)
    state = models.CharField(max_length=20, choices=State.choices)
    basis = models.CharField(max_length=10, blank=True)
    source = models.CharField(max_length=50)
    wording_version = models.CharField(max_length=50, blank=True)
    language = models.CharField(max_length=10, blank=True)
    reason = models.TextField(blank=True)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    ip_address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["customer", "-id"], name="consent_record_by_customer")]


class Suppression(TenantModel):
    """An address that must not be written to again; survives the erasure of its person.

    `address_hash` is SHA-256 over tenant id, ":" and the address: see
    `parlour_address_hash` in the migrations, the only place that computes it. After `until`
    it may be tried again (None: never).
    """

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", "Hard bounce"
        COMPLAINT = "complaint", "Complaint"
        INVALID = "invalid", "Invalid address"
        OPTED_OUT = "opted_out", "Opted out at the provider"
        UNREACHABLE = "unreachable", "Not reachable for now"

    channel = models.CharField(max_length=20, choices=Channel.choices)
    address_hash = models.BinaryField()
    reason = models.CharField(max_length=20, choices=Reason.choices)
    until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "channel", "address_hash"], name="suppressed_address"
            )
        ]
