import uuid
from collections.abc import Collection, Mapping

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from marketing.core.models import User
from marketing.core.tenancy import TenantModel


class SegmentType(models.TextChoices):
    SYSTEM = "system", _("Built in")
    CUSTOM = "custom", _("Custom")


class Segment(TenantModel):
    """A named set of customers: a rule tree (dynamic) or a snapshot (static).

    `branch_counts` splits `customer_count` by home branch ("" for none), so that each
    manager sees the count of their own branches without counting again. `refresh_number`
    orders refreshes: of two, the one with the lower number read older rows. `keeps_members`:
    its member rows are those of the last refresh, so changes can be told from them.
    """

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    segment_type = models.CharField(
        max_length=20, choices=SegmentType.choices, default=SegmentType.CUSTOM
    )
    is_dynamic = models.BooleanField(default=True)
    rules = models.JSONField(default=dict)
    customer_count = models.PositiveIntegerField(default=0)
    branch_counts = models.JSONField(default=dict)
    last_refreshed_at = models.DateTimeField(null=True, blank=True)
    refresh_number = models.BigIntegerField(default=0)
    keeps_members = models.BooleanField(default=False)
    branch_ids = ArrayField(models.UUIDField(), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["tenant", "is_active"], name="segment_active")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                condition=models.Q(segment_type="system"),
                name="system_segment_name",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def display_name(self) -> str:
        """The name in the reader's language, where it is ours."""
        return gettext(self.name) if self.segment_type == SegmentType.SYSTEM else self.name

    @property
    def display_description(self) -> str:
        """The description in the reader's language, where it is ours."""
        is_ours = self.segment_type == SegmentType.SYSTEM and self.description
        return gettext(self.description) if is_ours else self.description

    def count_within(self, branch_ids: Collection[uuid.UUID] | None) -> int:
        """The stored count within these home branches; None means everybody."""
        return _within(self.customer_count, self.branch_counts, branch_ids)


def _within(
    count: int, branch_counts: Mapping[str, int], branch_ids: Collection[uuid.UUID] | None
) -> int:
    if branch_ids is None:
        return count
    return sum(branch_counts.get(str(pk), 0) for pk in branch_ids)


class SegmentSize(TenantModel):
    """How many a segment held on a day of the chain's calendar, as last counted that day."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes")
    day = models.DateField()
    customer_count = models.PositiveIntegerField()
    branch_counts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "segment", "day"], name="segment_size_day")
        ]

    def count_within(self, branch_ids: Collection[uuid.UUID] | None) -> int:
        """As `Segment.count_within`, on that day."""
        return _within(self.customer_count, self.branch_counts, branch_ids)


class SegmentVersion(TenantModel):
    """What a segment said after a save, by whom and when; kept as long as the segment.

    `saved_by` is empty where we ourselves changed a built-in one.
    """

    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    rules = models.JSONField(default=dict)
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "segment", "version"], name="segment_version")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"


class SegmentMember(TenantModel):
    """The snapshot of a static segment; of a followed dynamic one, who was in it last."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "customer"], name="segment_member")
        ]


class MembershipChange(TenantModel):
    """Who entered or left a segment in one refresh: what its event's `batchId` names.

    Written only while something follows segments, and kept for a week.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    batch_id = models.UUIDField()
    customer_id = models.UUIDField()
    entered = models.BooleanField()

    class Meta:
        indexes = [models.Index(fields=["batch_id", "entered"], name="membership_change_batch")]


class StaleMember(TenantModel):
    """A mark that followed segments must judge a customer again.

    As `StaleFacts`: append-only, without a unique key, so that marking never waits.
    """

    customer_id = models.UUIDField()
    marked_at = models.DateTimeField(db_default=Now())
