from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.core.tenancy import AppendModel, TenantModel


class WebhookEvent(AppendModel):
    """A webhook request as it came, verified; applied by the consumer.

    `query` is the request's query string, where some vendors bring our id back. While
    `applied_at` is empty it is looked at again at `next_at`: it is new, or it names messages
    that are not known yet.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        APPLIED = "applied", _("Applied")
        UNKNOWN = "unknown", _("Unknown message")
        UNREADABLE = "unreadable", _("Unreadable")

    plain_keys = {"account_id": "policy.ProviderAccount"}

    account_id = models.UUIDField()
    provider = models.CharField(max_length=20)
    query = models.TextField(blank=True, db_default="")
    body = models.BinaryField()
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.WAITING)
    received_at = models.DateTimeField(db_default=Now())
    next_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, db_default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["tenant", "next_at"],
                condition=Q(applied_at=None),
                name="webhook_event_waiting",
            ),
            models.Index(fields=["account_id", "-id"], name="webhook_event_by_account"),
            models.Index(
                fields=["account_id", "-id"],
                condition=Q(state__in=["unknown", "unreadable"]),
                name="webhook_event_trouble",
            ),
        ]


class InboundMessage(TenantModel):
    """Something a person wrote or asked for, taken in once however often it is reported.

    `sender` is her phone, e-mail address or WhatsApp's scoped id. What a customer wrote stands
    in her timeline; `text` is kept here only of a sender whom nobody knows. `keyword` is what
    it was understood as, `answered_at` when it was answered.
    """

    class Keyword(models.TextChoices):
        STOP = "stop", _("Stop")
        START = "start", _("Start again")
        HELP = "help", _("Help")

    account_id = models.UUIDField()
    key = models.CharField(max_length=255)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    sender = models.CharField(max_length=254)
    is_known = models.BooleanField()
    text = models.TextField(blank=True)
    keyword = models.CharField(max_length=10, choices=Keyword.choices, blank=True)
    said_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account_id", "key"], name="inbound_message_key")
        ]
        indexes = [
            models.Index(fields=["tenant", "sender"], name="inbound_message_sender"),
            models.Index(
                fields=["tenant", "-id"],
                condition=Q(is_known=False),
                name="inbound_message_stranger",
            ),
        ]


class ExtraKeyword(TenantModel):
    """A word of the chain's own that means stop, start or help when it is the whole message."""

    keyword = models.CharField(max_length=10, choices=InboundMessage.Keyword.choices)
    word = models.CharField(max_length=50)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "word"], name="extra_keyword")]
