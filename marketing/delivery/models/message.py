from decimal import Decimal

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Purpose
from marketing.core.tenancy import AppendModel, LooseTenantModel, loose_key
from marketing.delivery.models.run import SendRun


class MessageState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    READ = "read", _("Read")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")
    HELD = "held", _("Held")
    UNKNOWN = "unknown", _("Unknown")


class Message(AppendModel):
    """One attempt to reach one person on one channel.

    `reason` says why it was skipped (spelled as in the gate; or she was `reached` on another
    channel by then), or why it is held, or that its reader complained; `error_code` is the
    vendor's. `step` is the run's step; `attempt_of` the person's first attempt of the run,
    `fallback_id` the attempt that took this one's place.
    `slot_at` is the time it holds in the person's contact load; another attempt of hers may
    hold it instead. `opened_at` and `clicked_at` are when the person, not a machine, first did
    so. `cost` is what it costs if the vendor charges it, `fallback_cost` what the steps after
    it may cost at most while they can still follow (None: none does). `discarded_at` is when
    somebody decided that it is not to be tried again. No index names `state`, so that its
    changes stay within the row's page, and none the batch or the run: their messages are found
    by the bounds of their ids. Without a `template_version` it is free text, an answer to what
    she wrote: `variables` is `{"text": …}`.
    """

    plain_keys = {
        "campaign_id": "campaigns.Campaign",
        "attempt_of": "delivery.Message",
        "fallback_id": "delivery.Message",
    }

    run = loose_key("delivery.SendRun", db_index=False)
    batch = loose_key("delivery.DispatchBatch", db_index=False)
    customer = loose_key("customers.Customer", db_index=False)
    branch = loose_key("core.Branch", null=True, db_index=False)
    account = loose_key("policy.ProviderAccount", null=True, db_index=False)
    template_version = loose_key("content.TemplateVersion", null=True, db_index=False)
    campaign_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=15, choices=SendRun.Kind.choices)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    address = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=10)
    variables = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    state = models.CharField(max_length=10, choices=MessageState.choices)
    reason = models.CharField(max_length=30, blank=True)
    not_before = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    step = models.PositiveSmallIntegerField(db_default=0)
    attempt_of = models.UUIDField(null=True)
    fallback_id = models.UUIDField(null=True)
    sending_at = models.DateTimeField(null=True)
    slot_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    discarded_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    provider_message_id = models.CharField(max_length=150, blank=True)
    error_code = models.CharField(max_length=30, blank=True)
    error_class = models.CharField(max_length=20, blank=True)
    error_detail = models.CharField(max_length=255, blank=True)
    segments = models.PositiveSmallIntegerField(default=1)
    cost = models.DecimalField(max_digits=10, decimal_places=4, default=Decimal(0))
    fallback_cost = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-id"], name="message_by_customer"),
        ]

    @property
    def counted_cost(self) -> Decimal:
        """What it costs as far as is known: nothing once it failed."""
        return Decimal(0) if self.state == MessageState.FAILED else self.cost


class ProviderReference(LooseTenantModel):
    """The vendor's id of a message: unique across partitions, and how a webhook finds it."""

    plain_keys = {"message_id": "delivery.Message"}

    account_id = models.UUIDField()
    reference = models.CharField(max_length=150)
    message_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "reference"],
                condition=~Q(reference=""),
                name="provider_reference",
            )
        ]
