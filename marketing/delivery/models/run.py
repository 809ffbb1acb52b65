from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from customers.models import Channel, Customer, Purpose
from marketing.core.tenancy import TenantModel


class SendRun(TenantModel):
    """One audience being sent one message: what campaigns and journeys point to.

    `steps` is the channel plan: `[{"channel", "versionId", "afterMinutes"}]`; `reserved` what
    each branch (key "" for none) was promised at the freeze, as decimal strings.
    """

    class State(models.TextChoices):
        READY = "ready", "Ready"
        FROZEN = "frozen", "Frozen"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    class Kind(models.TextChoices):
        """Module 11's message types, and the test a manager sends to a staff phone."""

        CAMPAIGN = "campaign", "Campaign"
        TRIGGER = "trigger", "Trigger"
        TRANSACTIONAL = "transactional", "Transactional"
        TEST = "test", "Test"

    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)
    kind = models.CharField(max_length=15, choices=Kind.choices)
    pause_reason = models.CharField(max_length=60, blank=True)
    pause_detail = models.TextField(blank=True)
    campaign_id = models.UUIDField(null=True)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    priority = models.SmallIntegerField(default=0)
    steps = models.JSONField()
    branch_ids = ArrayField(models.UUIDField(), null=True)
    charged_branch_id = models.UUIDField(null=True)
    audience = models.PositiveIntegerField(default=0)
    reserved = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    frozen_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "state"], name="send_run_state")]


class DispatchBatch(models.Model):
    """A slice of a run that one worker sends at a time. Global: ids and counters only.

    Every message of the batch has an id from `first_id` to `last_id`; the lease is held by
    whoever knows `token`. The nine counters say how many of its messages are in each state
    and change in the transaction that changes the messages.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        LEASED = "leased", "Leased"
        STOPPED = "stopped", "Stopped with its run"
        DONE = "done", "Done"

    tenant_id = models.UUIDField()
    run_id = models.UUIDField()
    account_id = models.UUIDField(null=True)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    number = models.PositiveIntegerField()
    priority = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    next_at = models.DateTimeField(db_default=Now())
    token = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    first_id = models.UUIDField(null=True)
    last_id = models.UUIDField(null=True)
    queued = models.PositiveIntegerField(default=0)
    sending = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))

    class Meta:
        verbose_name_plural = "dispatch batches"
        constraints = [models.UniqueConstraint(fields=["run_id", "number"], name="batch_of_run")]
        indexes = [
            models.Index(
                fields=["-priority", "next_at", "id"],
                condition=models.Q(state__in=["waiting", "leased"]),
                name="batch_due",
            )
        ]


class ContactLoad(TenantModel):
    """When a customer was recently sent something: what the caps are taken from.

    `sent` holds the send times of the trailing seven days, oldest first, across channels
    and branches. Rows are locked in customer order.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="load")
    sent = ArrayField(models.DateTimeField(), default=list)

    class Meta:
        verbose_name_plural = "contact loads"
