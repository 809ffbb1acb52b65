from decimal import Decimal

from django.db import models

from marketing.core.models import Branch
from marketing.core.tenancy import TenantModel


class BudgetMonth(TenantModel):
    """Money of one month (first day, in the tenant's zone) for a branch, or the whole chain.

    `reserved` is promised to frozen runs, `spent` was charged; both only move by
    conditional updates.
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
