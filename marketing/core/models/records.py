"""What happened: events and their deliveries, the audit trail, remembered responses, checks."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now

from marketing.core.tenancy import AppendModel, TenantModel


class DomainEvent(AppendModel):
    """Something that happened, written in the transaction of the change."""

    name = models.CharField(max_length=60)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    occurred_at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "name", "id"], name="domain_event_by_name")]


class EventDelivery(models.Model):
    """One event owed to one handler. Global (ids only); deleted when handled."""

    plain_keys = {"event_id": "core.DomainEvent"}

    event_id = models.UUIDField()
    tenant_id = models.UUIDField()
    event_name = models.CharField(max_length=60)
    handler = models.CharField(max_length=100)
    not_before = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["not_before", "id"], name="event_delivery_due")]


class AuditEntry(AppendModel):
    """Who did what to which object, with the values before and after."""

    at = models.DateTimeField(db_default=Now())
    user_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.UUIDField(null=True)
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["tenant", "object_type", "object_id", "id"], name="audit_by_object"
            )
        ]
        verbose_name_plural = "audit entries"


class IdempotencyRecord(TenantModel):
    """A remembered response, stored in the transaction of the work it answers for."""

    client = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField()
    status = models.PositiveSmallIntegerField(null=True)
    # JSON, compressed where it is long: as `jsonb` a price of 42 KB takes PostgreSQL a millisecond.
    response = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "client", "key"], name="idempotency_key")
        ]


class LooseKeyCheck(models.Model):
    """How many rows were last found without the parent that a key names.

    Global: `name` is "table.column", `examples` are ids of rows of any chain. Rows made since
    `since` were looked at.
    """

    name = models.CharField(max_length=127, primary_key=True)
    dangling = models.PositiveBigIntegerField()
    examples = ArrayField(models.TextField())
    since = models.DateTimeField()
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.dangling} ({', '.join(self.examples)})"
