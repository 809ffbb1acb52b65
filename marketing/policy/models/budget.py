from decimal import Decimal

from django.db import models

from marketing.core.models import Branch
from marketing.core.tenancy import TenantModel


class BudgetMonth(TenantModel):
    """Money of one month (first day, in the tenant's zone) for a branch, or the whole chain.

    `reserved` is promised to frozen runs and held for what is approved, `spent` was charged;
    both only move by conditional updates.
    """

    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, related_name="+")
    month = models.DateField()
    reserved = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    spent = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    alerted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "branch", "month"], name="budget_month", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(reserved__gte=0) & models.Q(spent__gte=0),
                name="budget_not_negative",
            ),
        ]


class BudgetHold(TenantModel):
    """What is held back of a month's `reserved` for something approved that has not begun.

    `holder_id` is the campaign's; the freeze of its run replaces it by what the run may cost.
    A branch of None is money that belongs to no branch.
    """

    holder_id = models.UUIDField()
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, related_name="+")
    month = models.DateField()
    amount = models.DecimalField(max_digits=14, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "holder_id", "branch"], name="budget_hold", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="budget_hold_is_something"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "month"], name="budget_hold_of_month")]
