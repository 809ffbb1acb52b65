import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.content.models import MessageTemplate
from marketing.core.models import User
from marketing.core.tenancy import TenantModel
from marketing.coupons.models import Offer
from marketing.delivery.models import SendRun
from marketing.segments.models import Segment


class CampaignType(models.TextChoices):
    ONE_TIME = "one_time", _("One-time")
    RECURRING = "recurring", _("Recurring")
    TRIGGER = "trigger", _("Triggered")


class CampaignStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PENDING_APPROVAL = "pending_approval", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    SCHEDULED = "scheduled", _("Scheduled")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    PAUSED = "paused", _("Paused")
    CANCELLED = "cancelled", _("Cancelled")


class Campaign(TenantModel):
    """A message to an audience, from draft to sent. `version` guards against lost edits.

    `scheduled_at` is what people asked for (of a recurring campaign: from when on),
    `next_run_at` when it is next due.
    `channel` and `template` are the first step of the channel plan, `further_steps` the others:
    `[{"channel", "templateId", "afterMinutes"}]`; `channel_mode` says how it is gone through.
    `slot_values` fill what their messages leave open: a text by language, else one for all.
    `coupon` is the offer that goes with it; with `unique_codes` everybody gets a code of her own.
    `short_of` is what was asked and refused when it last stopped for the budget, by branch id ("":
    of the chain).
    `approved_hash` is of everything that was approved; any edit voids the approval.
    `author_ids` are the users who ever made, edited or submitted it: none of them may approve it.
    `rejected_*` and `rejection_reason` say why it last came back to its authors.
    """

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    campaign_type = models.CharField(
        max_length=20, choices=CampaignType.choices, default=CampaignType.ONE_TIME
    )
    channel = models.CharField(max_length=20, choices=Channel.choices)
    template = models.ForeignKey(
        MessageTemplate, on_delete=models.PROTECT, null=True, related_name="campaigns"
    )
    channel_mode = models.CharField(
        max_length=10, choices=SendRun.Mode.choices, default=SendRun.Mode.SINGLE
    )
    further_steps = models.JSONField(default=list, blank=True)
    slot_values = models.JSONField(default=dict, db_default={}, blank=True)
    coupon = models.ForeignKey(
        Offer, on_delete=models.PROTECT, null=True, blank=True, related_name="campaigns"
    )
    unique_codes = models.BooleanField(default=False, db_default=False)
    segment = models.ForeignKey(
        Segment, on_delete=models.PROTECT, null=True, blank=True, related_name="campaigns"
    )
    target_all_customers = models.BooleanField(default=False)
    exclude_segment_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    branch_ids = ArrayField(models.UUIDField(), null=True, blank=True)
    scheduled_at = models.DateTimeField(null=True, blank=True)
    recurrence_rule = models.TextField(blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(
        max_length=20, choices=CampaignStatus.choices, default=CampaignStatus.DRAFT
    )
    paused_from = models.CharField(max_length=20, choices=CampaignStatus.choices, blank=True)
    pause_reason = models.CharField(max_length=60, blank=True)
    pause_detail = models.TextField(blank=True)
    short_of = models.JSONField(null=True)
    requires_approval = models.BooleanField(default=False)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_hash = models.CharField(max_length=64, blank=True)
    approved_recipients = models.PositiveIntegerField(null=True)
    approved_cost = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    rejected_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    rejected_at = models.DateTimeField(null=True)
    rejection_reason = models.TextField(blank=True)
    estimated_recipients = models.PositiveIntegerField(default=0)
    estimated_cost = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    # The whole of that estimate, kept up to date while the campaign waits for an approver.
    counted = models.JSONField(null=True)
    counted_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    author_ids = ArrayField(models.UUIDField(), default=list, db_default=[], blank=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "status", "next_run_at"], name="campaign_due")]

    def __str__(self) -> str:
        return self.name

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The whole channel plan: channel, template_id and after_minutes of each step."""
        first = {"channel": self.channel, "template_id": self.template_id, "after_minutes": 0}
        return [
            first,
            *(
                {
                    "channel": step["channel"],
                    "template_id": step["templateId"],
                    "after_minutes": step["afterMinutes"],
                }
                for step in self.further_steps
            ),
        ]


class CampaignRun(TenantModel):
    """One execution of a campaign: a one-time campaign has one, a recurring one many."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    send_run = models.OneToOneField(SendRun, on_delete=models.PROTECT, related_name="campaign_run")
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "campaign", "number"], name="campaign_run")
        ]

    @property
    def began_at(self) -> dt.datetime:
        """When its people were put together; until then, when it was made."""
        return self.send_run.frozen_at or self.created_at


class Festival(TenantModel):
    """What a chain says of its festival calendar, over what is known of its country.

    Without `known` it is a day of the chain's own, every year when `is_yearly`. With it, the key
    of a known festival (`festivals.py`): its true `day` in that `year`, or, without a day, that
    the chain leaves it out in every year.
    """

    known = models.CharField(max_length=40, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    name = models.CharField(max_length=60, blank=True)
    name_hi = models.CharField(max_length=60, blank=True)
    day = models.DateField(null=True, blank=True)
    is_yearly = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "known", "year"],
                condition=~models.Q(known=""),
                nulls_distinct=False,
                name="festival_known",
            ),
            models.CheckConstraint(
                condition=models.Q(known="", year=None, day__isnull=False) & ~models.Q(name="")
                | ~models.Q(known="") & models.Q(year=None, day=None)
                | ~models.Q(known="") & models.Q(year__isnull=False, day__isnull=False),
                name="festival_own_or_known",
            ),
        ]
        indexes = [models.Index(fields=["tenant"], name="festival_of_chain")]

    def __str__(self) -> str:
        return self.name or self.known
