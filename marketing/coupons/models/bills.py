"""What became of bills: reserved, redeemed, reversed; with the amounts frozen as promised."""

import datetime as dt
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketing.core.tenancy import LooseTenantModel, loose_key


class Reservation(LooseTenantModel):
    """A bill between quote and payment; its `id` is the token the counter keeps.

    `key` is the counter's own name for the bill: reserving again under it renews, and
    `first_reserved_at` says since when it is held then. `quote_hash` is of what was promised.
    `trace` holds, compressed, what the bill was priced from and the whole answer; with `engine`
    and `catalogue` (the `CatalogueMark.number`) it can be priced again to the byte. `effects` is
    what loyalty and others keep with it. `sold` are the lines, each with its units and how many
    of them were returned.
    """

    class State(models.TextChoices):
        RESERVED = "reserved", _("Reserved")
        REDEEMED = "redeemed", _("Redeemed")
        RELEASED = "released", _("Released")
        EXPIRED = "expired", _("Expired")

    branch = loose_key("core.Branch", db_index=False)
    customer = loose_key("customers.Customer", null=True, db_index=False)
    key = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RESERVED)
    quote_hash = models.CharField(max_length=64)
    engine = models.CharField(max_length=10)
    catalogue = models.PositiveBigIntegerField()
    trace = models.BinaryField()
    applied = models.JSONField()
    sold = models.JSONField()
    effects = models.JSONField(default=dict)
    discount = models.BigIntegerField()
    payable = models.BigIntegerField()
    local_day = models.DateField()
    reserved_at = models.DateTimeField()
    first_reserved_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    invoice_id = models.CharField(max_length=100, blank=True)
    redeemed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "branch", "key"],
                condition=Q(state="reserved"),
                name="reservation_key",
            ),
            models.UniqueConstraint(
                fields=["tenant", "branch", "invoice_id"],
                condition=Q(state="redeemed"),
                name="reservation_invoice",
            ),
            models.CheckConstraint(
                condition=Q(state="redeemed", redeemed_at__isnull=False)
                | (~Q(state="redeemed") & Q(redeemed_at=None)),
                name="reservation_redeemed_at",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "expires_at"],
                condition=Q(state="reserved"),
                name="reservation_due",
            ),
            models.Index(
                fields=["customer", "-id"],
                condition=Q(customer__isnull=False),
                name="reservation_by_customer",
            ),
        ]

    @property
    def began_at(self) -> dt.datetime:
        """Since when it is held, however often it was reserved again."""
        return self.first_reserved_at or self.reserved_at


class Hold(LooseTenantModel):
    """An offer that a live reservation holds; gone when the reservation is redeemed or over.

    `amount` is paise; `shares` are the frozen amounts by line and unit.
    """

    reservation = loose_key("coupons.Reservation", db_index=False)
    offer = loose_key("coupons.Offer", db_index=False)
    code = loose_key("coupons.CouponCode", null=True, db_index=False)
    branch = loose_key("core.Branch", db_index=False)
    customer = loose_key("customers.Customer", null=True, db_index=False)
    revision = models.PositiveIntegerField()
    amount = models.BigIntegerField()
    shares = models.JSONField()
    local_day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "reservation", "offer"], name="hold"),
        ]
        indexes = [models.Index(fields=["offer"], name="hold_by_offer")]


class Redemption(LooseTenantModel):
    """An offer that a paid bill was given: Module 11's coupon redemption.

    `shares` are frozen: refunds read them. `amount` is paise given, `returned` what came back of
    it. `counted`: it uses up the offer's limits, until it is given back.
    """

    class State(models.TextChoices):
        REDEEMED = "redeemed", _("Redeemed")
        PART_REVERSED = "part_reversed", _("Reversed in part")
        REVERSED = "reversed", _("Reversed")

    reservation = loose_key("coupons.Reservation", db_index=False)
    offer = loose_key("coupons.Offer", db_index=False)
    code = loose_key("coupons.CouponCode", null=True, db_index=False)
    branch = loose_key("core.Branch", db_index=False)
    customer = loose_key("customers.Customer", null=True, db_index=False)
    invoice_id = models.CharField(max_length=100)
    revision = models.PositiveIntegerField()
    amount = models.BigIntegerField()
    returned = models.BigIntegerField(db_default=0)
    shares = models.JSONField()
    state = models.CharField(max_length=15, choices=State.choices, default=State.REDEEMED)
    counted = models.BooleanField(db_default=True)
    local_day = models.DateField()
    redeemed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "branch", "invoice_id", "offer"],
                condition=~Q(state="reversed"),
                name="redemption_of_bill",
            ),
            models.CheckConstraint(
                condition=Q(returned__gte=0) & Q(returned__lte=F("amount")),
                name="redemption_returned",
            ),
        ]
        indexes = [
            models.Index(fields=["offer", "-id"], name="redemption_by_offer"),
            models.Index(fields=["reservation"], name="redemption_by_reservation"),
            models.Index(
                fields=["customer", "offer"],
                condition=Q(customer__isnull=False),
                name="redemption_by_customer",
            ),
        ]

    @property
    def rupees(self) -> Decimal:
        """What was given and did not come back."""
        return Decimal(self.amount - self.returned) / 100


class Reversal(LooseTenantModel):
    """Lines of a redeemed bill that came back: one refund.

    `operation` is the counter's own name for it. `lines` maps a line to the places of the units
    returned; `given_back` an offer to the paise of its discount that went with them.
    """

    reservation = loose_key("coupons.Reservation", db_index=False)
    operation = models.CharField(max_length=100)
    asked = models.JSONField(null=True)
    lines = models.JSONField()
    given_back = models.JSONField()
    amount = models.BigIntegerField()
    effects = models.JSONField(default=dict)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "reservation", "operation"], name="reversal_operation"
            )
        ]
        verbose_name_plural = "reversals"
