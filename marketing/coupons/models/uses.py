"""Counters of limited offers: derived from redemptions and holds, and moved with them.

Only an offer that has the limit has the rows; `services.recounting` makes them again.
"""

from django.db import models

from marketing.core.tenancy import LooseTenantModel, loose_key


class OfferUse(LooseTenantModel):
    """What was taken of an offer in all (`branch` None), or in one branch.

    `spent` and `held` are paise of discount given, and promised by live reservations.
    """

    offer = loose_key("coupons.Offer", db_index=False)
    branch = loose_key("core.Branch", null=True, db_index=False)
    used = models.PositiveIntegerField(db_default=0)
    reserved = models.PositiveIntegerField(db_default=0)
    spent = models.PositiveBigIntegerField(db_default=0)
    held = models.PositiveBigIntegerField(db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "offer", "branch"], name="offer_use", nulls_distinct=False
            )
        ]


class CustomerUse(LooseTenantModel):
    """How often a customer took an offer, held or used, in the period that began that day.

    `LIFETIME` stands for all of it.
    """

    offer = loose_key("coupons.Offer", db_index=False)
    customer = loose_key("customers.Customer", db_index=False)
    period_start = models.DateField()
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "customer", "offer", "period_start"], name="customer_use"
            )
        ]
