from django.db import models
from django.db.models.functions import Now

from marketing.core.tenancy import AppendModel, TenantModel


class WebhookEvent(AppendModel):
    """A webhook request as it came, verified; applied by the consumer.

    `query` is the request's query string, where some vendors bring our id back.
    While it names messages that are not known yet, it is looked at again at `next_at`.
    """

    account_id = models.UUIDField()
    provider = models.CharField(max_length=20)
    query = models.TextField(blank=True, db_default="")
    body = models.BinaryField()
    received_at = models.DateTimeField(db_default=Now())
    next_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["tenant", "next_at"],
                condition=models.Q(applied_at=None),
                name="webhook_event_waiting",
            )
        ]


class WebhookKey(TenantModel):
    """A vendor's event already taken in (Meta: message id, status and timestamp)."""

    account_id = models.UUIDField()
    key = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "key"], name="webhook_key")]
