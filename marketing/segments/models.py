from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from customers.models import Customer
from marketing.core.models import User
from marketing.core.tenancy import TenantModel


class SegmentType(models.TextChoices):
    SYSTEM = "system", "Built in"
    CUSTOM = "custom", "Custom"


class Segment(TenantModel):
    """A named set of customers: a rule tree (dynamic) or a snapshot (static)."""

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    segment_type = models.CharField(
        max_length=20, choices=SegmentType.choices, default=SegmentType.CUSTOM
    )
    is_dynamic = models.BooleanField(default=True)
    rules = models.JSONField(default=dict)
    customer_count = models.PositiveIntegerField(default=0)
    last_refreshed_at = models.DateTimeField(null=True, blank=True)
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


class SegmentMember(TenantModel):
    """Membership as last refreshed; for a static segment, the snapshot itself."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "customer"], name="segment_member")
        ]
