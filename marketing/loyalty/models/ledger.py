"""The ledger of points. Transactions and entries are never changed; the rest is moved by them."""

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from marketing.core.tenancy import LooseTenantModel, TenantModel, loose_key

# Between the number of a bill and its branch: branches may use the same numbers.
OF_BRANCH = " @"


class Account(models.TextChoices):
    """Where points lie. The first four are a customer's own, the others the programme's.

    `owed` is what she must earn before she has points again: it is debited where the others
    are credited.
    """

    PENDING = "pending", _("Not active yet")
    AVAILABLE = "available", _("Available")
    HELD = "held", _("Held for a bill")
    OWED = "owed", _("Owed")
    ISSUED = "issued", _("Issued")
    REDEEMED = "redeemed", _("Redeemed")
    EXPIRED = "expired", _("Expired")
    CLAWED_BACK = "clawed_back", _("Taken back")


OF_CUSTOMER = (Account.PENDING, Account.AVAILABLE, Account.HELD, Account.OWED)


class Side(models.TextChoices):
    DEBIT = "debit", _("Debit")
    CREDIT = "credit", _("Credit")


class Kind(models.TextChoices):
    EARN = "earn", _("Earned")
    BONUS = "bonus", _("Bonus")
    ACTIVATE = "activate", _("Became active")
    HOLD = "hold", _("Held for a bill")
    POST = "post", _("Used")
    VOID = "void", _("Given back unused")
    EXPIRE = "expire", _("Expired")
    REVERSE_EARN = "reverse_earn", _("Taken back after a refund")
    REVERSE_SPEND = "reverse_spend", _("Given back after a refund")
    ADJUST = "adjust", _("Corrected by hand")
    MERGE = "merge", _("Merged with another customer")
    FORFEIT = "forfeit", _("Given up")


class PointsAccount(TenantModel):
    """A customer's balances, kept with every posting. Balance = available - owed.

    What has expired or become active since the last posting is not yet moved: `selectors.balance`
    knows. `next_expiry_on` is the last day of the points that go first.
    """

    customer = models.OneToOneField(
        Customer, on_delete=models.PROTECT, related_name="points_account"
    )
    available = models.BigIntegerField(db_default=0)
    pending = models.BigIntegerField(db_default=0)
    held = models.BigIntegerField(db_default=0)
    owed = models.BigIntegerField(db_default=0)
    version = models.BigIntegerField(db_default=0)
    next_expiry_on = models.DateField(null=True)
    tier = models.ForeignKey(
        "loyalty.Tier", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    tier_since = models.DateTimeField(null=True)
    tier_until = models.DateTimeField(null=True)
    tier_in_grace = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(available__gte=0, pending__gte=0, held__gte=0, owed__gte=0),
                name="points_account_not_below_zero",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "tier_until"],
                condition=Q(tier_until__isnull=False),
                name="points_account_tier_ends",
            ),
        ]

    @property
    def balance(self) -> int:
        return self.available - self.owed

    def __str__(self) -> str:
        return str(self.balance)


# What a bonus was given for, by its reason.
BONUS_WORDS = {
    "signup": _("For joining"),
    "review": _("For a review"),
    "referral": _("For bringing a friend"),
    "birthday": _("For a birthday"),
}


class PointsTransaction(LooseTenantModel):
    """Something that moved points; what moved where is in its entries.

    `points` is what it did to the customer's balance, pending points included. `origin` is what it
    completes or undoes. `spend_paise` and `tier_points` are what counts for tiers.
    """

    customer = loose_key("customers.Customer", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    source_type = models.CharField(max_length=30)
    source_id = models.CharField(max_length=120)
    origin = loose_key("self", null=True, db_index=False)
    branch = loose_key("core.Branch", null=True, db_index=False)
    points = models.BigIntegerField(db_default=0)
    spend_paise = models.BigIntegerField(db_default=0)
    tier_points = models.BigIntegerField(db_default=0)
    at = models.DateTimeField()
    reason = models.CharField(max_length=200, db_default="")
    actor_label = models.CharField(max_length=150, db_default="")
    user_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "source_type", "source_id", "kind"], name="points_posted_once"
            )
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="points_tx_of_customer"),
            models.Index(
                fields=["customer", "at"],
                include=["tier_points", "spend_paise"],
                condition=Q(kind__in=["earn", "bonus", "reverse_earn"]),
                name="points_tx_for_tiers",
            ),
        ]

    @property
    def bill(self) -> str:
        """The number of the bill that it is for, as the branch names it; else empty."""
        return self.source_id.partition(OF_BRANCH)[0] if self.source_type == "invoice" else ""

    @property
    def why(self) -> str:
        """The reason for people: what a bonus is for, else as it was written."""
        words = BONUS_WORDS.get(self.reason) if self.kind == Kind.BONUS else None
        return str(words or self.reason)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.points}"


class PointsEntry(LooseTenantModel):
    """One leg of a transaction; debits and credits of a transaction are equal."""

    transaction = loose_key("loyalty.PointsTransaction", db_index=False)
    account = models.CharField(max_length=20, choices=Account.choices)
    customer = loose_key("customers.Customer", null=True, db_index=False)
    side = models.CharField(max_length=6, choices=Side.choices)
    points = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "points entries"
        constraints = [
            models.CheckConstraint(condition=Q(points__gt=0), name="points_entry_positive"),
            models.CheckConstraint(
                condition=Q(account__in=OF_CUSTOMER, customer__isnull=False)
                | (~Q(account__in=OF_CUSTOMER) & Q(customer=None)),
                name="points_entry_whose",
            ),
        ]
        indexes = [
            models.Index(fields=["transaction"], name="points_entry_of_tx"),
            models.Index(
                fields=["customer", "id"],
                condition=Q(customer__isnull=False),
                name="points_entry_of_customer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.side} {self.points}"


class PointsLot(LooseTenantModel):
    """Points earned together, which live and end together.

    `reversed` counts what was taken back for it, wherever it was taken from. `due_on` is the last
    day it was made for; `expires_on` is later by the grace of points that came back too late.
    """

    customer = loose_key("customers.Customer", db_index=False)
    transaction = loose_key("loyalty.PointsTransaction", db_index=False)
    points = models.BigIntegerField()
    remaining = models.BigIntegerField()
    reversed = models.BigIntegerField(db_default=0)
    expired = models.BigIntegerField(db_default=0)
    is_pending = models.BooleanField(db_default=False)
    earned_at = models.DateTimeField()
    active_at = models.DateTimeField()
    due_on = models.DateField(null=True)
    expires_on = models.DateField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gt=0, remaining__gte=0, remaining__lte=F("points")),
                name="points_lot_holds_what_it_can",
            ),
            models.CheckConstraint(
                condition=Q(reversed__gte=0, reversed__lte=F("points"))
                & Q(expired__gte=0, expired__lte=F("points")),
                name="points_lot_ends_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer", "expires_at", "earned_at", "id"],
                condition=Q(remaining__gt=0),
                name="points_lot_in_spend_order",
            ),
            models.Index(fields=["transaction"], name="points_lot_of_tx"),
            models.Index(
                fields=["tenant", "expires_at"],
                condition=Q(remaining__gt=0, is_pending=False),
                name="points_lot_expires",
            ),
            models.Index(
                fields=["tenant", "active_at"],
                condition=Q(is_pending=True),
                name="points_lot_activates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining}/{self.points}"


class LotUse(LooseTenantModel):
    """Points that a transaction took from a lot, and how many of them came back."""

    transaction = loose_key("loyalty.PointsTransaction", db_index=False)
    lot = loose_key("loyalty.PointsLot", db_index=False)
    points = models.BigIntegerField()
    returned = models.BigIntegerField(db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gt=0, returned__gte=0, returned__lte=F("points")),
                name="lot_use_returns_what_it_took",
            )
        ]
        indexes = [
            models.Index(fields=["transaction"], name="lot_use_of_tx"),
            models.Index(fields=["lot"], name="lot_use_of_lot"),
        ]

    def __str__(self) -> str:
        return f"{self.points - self.returned}/{self.points}"


class EarnedLine(LooseTenantModel):
    """What a line of a bill earned, frozen: refunds take their share from here."""

    transaction = loose_key("loyalty.PointsTransaction", db_index=False)
    ref = models.CharField(max_length=100)
    net_paise = models.BigIntegerField()
    points = models.BigIntegerField()
    refunded_paise = models.BigIntegerField(db_default=0)
    reversed_points = models.BigIntegerField(db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "transaction", "ref"], name="earned_line"),
            models.CheckConstraint(
                condition=Q(refunded_paise__gte=0, refunded_paise__lte=F("net_paise"))
                & Q(reversed_points__gte=0, reversed_points__lte=F("points")),
                name="earned_line_refunded_once",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class HoldState(models.TextChoices):
    HELD = "held", _("Held")
    POSTED = "posted", _("Used")
    VOIDED = "voided", _("Given back")
    EXPIRED = "expired", _("Ran out")


class PointsHold(LooseTenantModel):
    """Points set aside while a customer pays; used, given back or run out, once.

    `transaction` took them from the lots. `posted` is what of them was used.
    """

    customer = loose_key("customers.Customer", db_index=False)
    transaction = loose_key("loyalty.PointsTransaction", db_index=False)
    points = models.BigIntegerField()
    posted = models.BigIntegerField(db_default=0)
    state = models.CharField(
        max_length=10, choices=HoldState.choices, db_default=HoldState.HELD.value
    )
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "transaction"], name="points_hold_of_tx"),
            models.CheckConstraint(
                condition=Q(points__gt=0, posted__gte=0, posted__lte=F("points")),
                name="points_hold_posts_what_it_holds",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "expires_at"],
                condition=Q(state="held"),
                name="points_hold_runs_out",
            ),
            models.Index(
                fields=["customer"], condition=Q(state="held"), name="points_hold_of_customer"
            ),
        ]

    def lasts(self, now: dt.datetime) -> bool:
        """Whether its points may be used."""
        return self.state == HoldState.HELD and self.expires_at > now

    def __str__(self) -> str:
        return f"{self.points} {self.state}"
