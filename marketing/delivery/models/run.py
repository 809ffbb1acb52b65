from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Customer, Purpose
from marketing.core.tenancy import LooseTenantModel, TenantModel


class SendRun(TenantModel):
    """One audience being sent one message: what campaigns and journeys point to.

    `steps` is the channel plan: `[{"channel", "versionId", "afterMinutes"}]`, with `slots`, what is
    filled in for everybody, and `personal`, what each is given of her own; `mode` how it is
    gone through: the first step alone; the next one when a step failed or was not delivered
    within its `afterMinutes`; or every step for every person. `label` is what people call it;
    web statistics hear it as utm_campaign. `retry_of` is the run whose
    failed messages this one sends again. What it costs is charged to the month of `frozen_at`;
    once it went on in a later month, at `charged_from`, each message to the month it was begun in.
    """

    class Mode(models.TextChoices):
        SINGLE = "single", _("One channel")
        CASCADE = "cascade", _("The next channel when one fails")
        ALL = "all", _("All channels at once")

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
    label = models.CharField(max_length=255, blank=True, db_default="")
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    priority = models.SmallIntegerField(default=0)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.SINGLE)
    steps = models.JSONField()
    retry_of = models.UUIDField(null=True)
    branch_ids = ArrayField(models.UUIDField(), null=True)
    charged_branch_id = models.UUIDField(null=True)
    audience = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    frozen_at = models.DateTimeField(null=True)
    charged_from = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "state"], name="send_run_state")]


class DispatchBatch(models.Model):
    """A slice of a run that one worker sends at a time. Global: ids and counters only.

    Every message of the batch has an id from `first_id` to `last_id`; the lease is held by
    whoever knows `token`. The nine counters say how many of its messages are in each state
    and change in the transaction that changes the messages; what another channel took over is
    in none of them but in `handed_on`.
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
    step = models.PositiveSmallIntegerField(db_default=0)
    is_extra = models.BooleanField(db_default=False)
    lane = models.UUIDField(null=True)
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
    handed_on = models.PositiveIntegerField(db_default=0)
    fallback_minutes = models.PositiveIntegerField(null=True)
    fallback_at = models.DateTimeField(null=True)
    is_settled = models.BooleanField(db_default=False)

    # Something is to be sent, now or when its time has come.
    HAS_WAITING = models.Q(queued__gt=0) | models.Q(held__gt=0)

    class Meta:
        verbose_name_plural = "dispatch batches"
        constraints = [models.UniqueConstraint(fields=["run_id", "number"], name="batch_of_run")]
        indexes = [
            models.Index(
                fields=["run_id", "state", "next_at", "id"],
                condition=models.Q(state__in=["waiting", "leased"]),
                name="batch_due_of_run",
            ),
            models.Index(
                fields=["fallback_at"],
                condition=models.Q(fallback_at__isnull=False),
                name="batch_fallback_due",
            ),
            models.Index(
                fields=["tenant_id", "run_id"],
                condition=models.Q(is_settled=False),
                name="batch_unsettled",
            ),
        ]


class BatchReason(TenantModel):
    """How many of a batch's messages are skipped, held, failed or unknown for which cause.

    `code` is the gate's reason or the vendor's code. Moves with the batch's counters. `closed`
    of them were sent again or given up by somebody.
    """

    run_id = models.UUIDField()
    batch_id = models.BigIntegerField()
    state = models.CharField(max_length=10)
    code = models.CharField(max_length=30, blank=True)
    count = models.IntegerField(db_default=0)
    closed = models.IntegerField(db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch_id", "state", "code"], name="batch_reason")
        ]
        indexes = [models.Index(fields=["run_id"], name="batch_reason_of_run")]


class BatchCost(LooseTenantModel):
    """What a batch's messages hold of a branch's budget (None: of the chain's alone).

    `reserved` may still be charged, `spent` was: both as they were last booked, on `month` (None:
    the one in which the run was frozen).
    """

    run_id = models.UUIDField()
    batch_id = models.BigIntegerField()
    branch_id = models.UUIDField(null=True)
    month = models.DateField(null=True)
    reserved = models.DecimalField(max_digits=14, decimal_places=4, db_default=Decimal(0))
    spent = models.DecimalField(max_digits=14, decimal_places=4, db_default=Decimal(0))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch_id", "branch_id", "month"], name="batch_cost", nulls_distinct=False
            )
        ]
        indexes = [
            models.Index(fields=["run_id"], name="batch_cost_of_run"),
            models.Index(
                fields=["tenant", "run_id"],
                condition=models.Q(reserved__gt=0),
                name="batch_cost_promised",
            ),
        ]


class PortfolioPerson(TenantModel):
    """When an address was last written to by any account of a WhatsApp portfolio."""

    portfolio = models.CharField(max_length=100)
    address = models.CharField(max_length=254)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "portfolio", "address"], name="portfolio_person"
            )
        ]
        indexes = [models.Index(fields=["tenant", "portfolio", "last_at"], name="portfolio_recent")]


class ContactLoad(LooseTenantModel):
    """When a customer was recently sent something: what the caps are taken from.

    `sent` holds the send times of the trailing seven days, oldest first, across channels
    and branches; `whatsapp_at` the last one on WhatsApp, which takes about one message in six
    seconds for one person. Rows are locked in customer order.
    """

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, related_name="load", db_constraint=False
    )
    sent = ArrayField(models.DateTimeField(), default=list)
    whatsapp_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "contact loads"
