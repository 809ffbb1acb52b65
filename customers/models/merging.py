"""Two rows for one person: pairs that may be, and merges that were made."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from marketing.core.models import User
from marketing.core.tenancy import TenantModel


class DuplicatePair(TenantModel):
    """Two customers who may be one person, found at night; `first` has the lower id.

    A dismissed pair stays, so that it is not suggested again. `score` puts the likelier first.
    """

    class Reason(models.TextChoices):
        PHONE = "phone", _("Same phone")
        EMAIL = "email", _("Same e-mail")
        BIRTH_DATE = "birth_date", _("Similar name, same birthday")
        BRANCH = "branch", _("Similar name, same branch")

    first = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    reasons = ArrayField(models.CharField(max_length=20, choices=Reason.choices))
    score = models.PositiveSmallIntegerField()
    found_at = models.DateTimeField(db_default=Now())
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "first", "second"], name="duplicate_pair"),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="duplicate_pair_in_order"
            ),
        ]
        indexes = [
            models.Index(fields=["first"], name="duplicate_pair_first"),
            models.Index(
                fields=["tenant", "-score", "-id"],
                condition=Q(dismissed_at=None),
                name="duplicate_pair_open",
            ),
        ]


class CustomerMerge(TenantModel):
    """`merged` became one with `survivor`; `record` says what moved, so that it can be undone.

    `record` holds what both were before: it is forgotten when it can no longer serve, and when
    the person is erased.
    """

    survivor = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="merges")
    merged = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    record = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-merged_at"], name="customer_merge_recent"),
        ]
