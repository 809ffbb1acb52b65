"""What was given on birthdays."""

from django.db import models

from marketing.core.tenancy import TenantModel
from marketing.coupons.models import CodeBatch


class BirthdayBatch(TenantModel):
    """Codes for those whose birthday was on the `day`, to be used to the end of the day `until`."""

    batch = models.ForeignKey(
        CodeBatch, on_delete=models.PROTECT, related_name="birthdays", db_index=False
    )
    day = models.DateField()
    until = models.DateField()

    class Meta:
        verbose_name_plural = "birthday batches"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "batch"], name="birthday_batch"),
        ]

    def __str__(self) -> str:
        return str(self.day)
