"""Codes: what a customer shows, each opening one offer."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketing.core.models import User
from marketing.core.tenancy import LooseTenantModel, TenantModel, loose_key
from marketing.coupons.models.offers import Offer


class CodeBatch(TenantModel):
    """Generated codes of an offer: `prefix`, then `symbols` random ones and a check symbol.

    `made` of `count` exist. What a batch says of its codes (uses, last moment, who issued it) is
    copied to each of them; but not that it is revoked: codes ask their batch (`revocation.py`).
    A sending's batch that is revoked with it `spares_used`: what was used or is reserved holds.
    Until it `is_copied`, only the facts of people up to `copied_to` say who holds a code of it.
    """

    class State(models.TextChoices):
        MAKING = "making", _("Being made")
        DONE = "done", _("Done")
        REVOKED = "revoked", _("Revoked")

    offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, related_name="batches", db_index=False
    )
    name = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(max_length=20, blank=True)
    symbols = models.PositiveSmallIntegerField(default=8)
    count = models.PositiveIntegerField()
    made = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.MAKING)
    max_uses = models.PositiveIntegerField(null=True, default=1)
    expires_at = models.DateTimeField(null=True)
    campaign_id = models.UUIDField(null=True)
    run_id = models.UUIDField(null=True)
    revoked_at = models.DateTimeField(null=True)
    spares_used = models.BooleanField(db_default=False)
    is_copied = models.BooleanField(db_default=False)
    copied_to = models.UUIDField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["offer", "-id"], name="code_batch_by_offer"),
            models.Index(
                fields=["tenant", "id"], condition=Q(state="making"), name="code_batch_in_making"
            ),
            models.Index(
                fields=["tenant", "id"], condition=Q(is_copied=False), name="code_batch_to_copy"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(made__lte=F("count")), name="code_batch_made")
        ]

    def __str__(self) -> str:
        return self.name or self.prefix


class CouponCode(LooseTenantModel):
    """One code. `code` is as it is printed, `key` as it is compared: without its hyphens.

    Held by `customer`, or by whoever has it. `max_uses` None leaves its uses to the offer: then
    nothing is counted here. `revoked_at` is of this code by itself; its batch may be revoked, too.
    """

    offer = loose_key("coupons.Offer", db_index=False)
    batch = loose_key("coupons.CodeBatch", null=True, db_index=False)
    customer = loose_key("customers.Customer", null=True, db_index=False)
    code = models.CharField(max_length=50)
    key = models.CharField(max_length=50)
    max_uses = models.PositiveIntegerField(null=True)
    used = models.PositiveIntegerField(db_default=0)
    reserved = models.PositiveIntegerField(db_default=0)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    campaign_id = models.UUIDField(null=True)
    run_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="coupon_code_key"),
            models.UniqueConstraint(
                fields=["tenant", "batch", "customer"],
                condition=Q(customer__isnull=False, batch__isnull=False),
                name="coupon_code_of_customer",
            ),
            models.CheckConstraint(
                condition=Q(max_uses__isnull=True) | Q(max_uses__gte=F("used") + F("reserved")),
                name="coupon_code_uses",
            ),
            models.CheckConstraint(
                condition=Q(customer__isnull=True) | Q(batch__isnull=False),
                name="coupon_code_given_by_batch",
            ),
        ]
        indexes = [
            models.Index(fields=["offer", "id"], name="coupon_code_by_offer"),
            models.Index(
                fields=["customer", "-id"],
                condition=Q(customer__isnull=False),
                name="coupon_code_by_customer",
            ),
        ]

    def __str__(self) -> str:
        return self.code
