from django.db import models
from django.db.models.functions import Now

from marketing.core.tenancy import LooseTenantModel, TenantModel, loose_key


class BalanceSnapshot(LooseTenantModel):
    """What a customer's entries below the id `through` come to; of days on which they changed."""

    customer = loose_key("customers.Customer", db_index=False)
    day = models.DateField()
    available = models.BigIntegerField()
    pending = models.BigIntegerField()
    held = models.BigIntegerField()
    owed = models.BigIntegerField()
    through = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "customer", "day"], name="snapshot_of_day")
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


class LedgerProof(TenantModel):
    """What the nightly proof found, and the programme's own accounts below the id `through`."""

    day = models.DateField()
    at = models.DateTimeField(db_default=Now())
    through = models.UUIDField()
    accounts = models.PositiveIntegerField()
    differing = models.PositiveIntegerField()
    examples = models.JSONField(default=list)
    issued = models.BigIntegerField()
    redeemed = models.BigIntegerField()
    expired = models.BigIntegerField()
    clawed_back = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="proof_of_day")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"
