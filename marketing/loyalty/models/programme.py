import hashlib
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Service, ServiceCategory
from marketing.core.tenancy import LooseTenantModel, TenantModel, loose_key
from marketing.coupons.models import Offer
from marketing.loyalty import rules

RATE = {"max_digits": 8, "decimal_places": 2, "validators": [MinValueValidator(0)]}


class LoyaltyProgramme(TenantModel):
    """How a chain gives points, one row a chain. Points are whole; `None` means without limit.

    A birthday brings a code of `birthday_offer`, if there is one, to be used on
    `birthday_offer_days` days, the birthday itself included.
    """

    class PointsAs(models.TextChoices):
        TENDER = "tender", _("A way to pay: tax stays as it is")
        DISCOUNT = "discount", _("A discount: the taxable value becomes less")

    class Rounding(models.TextChoices):
        NONE = rules.NO_ROUNDING, _("On the day itself")
        MONTH = rules.MONTH, _("At the end of the month")
        QUARTER = rules.QUARTER, _("At the end of the quarter")
        HALF_YEAR = rules.HALF_YEAR, _("At the end of the half year")
        YEAR = rules.YEAR, _("At the end of the year")

    class NegativePolicy(models.TextChoices):
        ONLY_PENDING = rules.ONLY_PENDING, _("Take back only what is not active yet")
        WITHIN_BALANCE = rules.WITHIN_BALANCE, _("Take back what she has, never below zero")
        UNLIMITED = rules.UNLIMITED, _("Below zero, made good by the next points")

    class TierBasis(models.TextChoices):
        SPEND = "spend", _("Money spent")
        POINTS = "points", _("Points earned")

    class TierWindow(models.TextChoices):
        ROLLING = "rolling", _("The last months, moving")
        CALENDAR = "calendar", _("The calendar period")

    class TierSpan(models.TextChoices):
        MONTH = rules.MONTH, _("Month")
        QUARTER = rules.QUARTER, _("Quarter")
        HALF_YEAR = rules.HALF_YEAR, _("Half year")
        YEAR = rules.YEAR, _("Year")

    is_enabled = models.BooleanField(default=False)
    points_per_100 = models.DecimalField(default=1, **RATE)  # type: ignore[arg-type]
    signup_bonus = models.PositiveIntegerField(default=0)
    review_bonus = models.PositiveIntegerField(default=0)
    referral_bonus = models.PositiveIntegerField(default=0)
    birthday_bonus = models.PositiveIntegerField(default=0)
    birthday_offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    birthday_offer_days = models.PositiveSmallIntegerField(
        default=14, db_default=14, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    min_redeem_points = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    max_redeem_points = models.PositiveIntegerField(null=True, blank=True)
    max_redeem_percent = models.PositiveSmallIntegerField(
        default=100, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    point_value_paise = models.PositiveIntegerField(default=100, validators=[MinValueValidator(1)])
    points_as = models.CharField(max_length=10, choices=PointsAs.choices, default=PointsAs.TENDER)
    pending_days = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(90)])
    expiry_months = models.PositiveSmallIntegerField(
        null=True, blank=True, default=12, validators=[MaxValueValidator(120)]
    )
    expiry_rounding = models.CharField(
        max_length=10, choices=Rounding.choices, default=Rounding.NONE
    )
    negative_policy = models.CharField(
        max_length=20, choices=NegativePolicy.choices, default=NegativePolicy.UNLIMITED
    )
    grace_days = models.PositiveSmallIntegerField(default=7, validators=[MaxValueValidator(90)])
    # What one adjustment by hand may move at most; super owners have no limit.
    branch_adjust_limit = models.PositiveIntegerField(default=500)
    regional_adjust_limit = models.PositiveIntegerField(default=5_000)
    tier_basis = models.CharField(max_length=10, choices=TierBasis.choices, default=TierBasis.SPEND)
    tier_window = models.CharField(
        max_length=10, choices=TierWindow.choices, default=TierWindow.ROLLING
    )
    tier_span = models.CharField(max_length=10, choices=TierSpan.choices, default=TierSpan.YEAR)
    tier_hold_days = models.PositiveSmallIntegerField(
        default=365, validators=[MinValueValidator(1), MaxValueValidator(1_100)]
    )
    tier_grace_months = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(12)]
    )
    tier_grace_to_month_end = models.BooleanField(default=False)
    version = models.PositiveIntegerField(db_default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="loyalty_programme_of_chain"),
            models.CheckConstraint(
                condition=Q(point_value_paise__gte=1, min_redeem_points__gte=1),
                name="loyalty_programme_points_are_worth_something",
            ),
        ]

    def __str__(self) -> str:
        return str(_("Points programme"))


class EarnRate(TenantModel):
    """Another rate for one service, or for a category; a service's own goes first."""

    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    category = models.ForeignKey(
        ServiceCategory, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    points_per_100 = models.DecimalField(**RATE)  # type: ignore[arg-type]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "service"], name="earn_rate_of_service"),
            models.UniqueConstraint(fields=["tenant", "category"], name="earn_rate_of_category"),
            models.CheckConstraint(
                condition=Q(service=None, category__isnull=False)
                | Q(service__isnull=False, category=None),
                name="earn_rate_of_one",
            ),
        ]

    def __str__(self) -> str:
        return str(self.service or self.category)


class Tier(TenantModel):
    """A level of the programme. `threshold` is in paise or points, as the programme counts."""

    name = models.CharField(max_length=50)
    level = models.PositiveSmallIntegerField()
    threshold = models.PositiveBigIntegerField()
    multiplier = models.PositiveIntegerField(default=rules.ONCE)
    benefits = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "level"], name="tier_level"),
            models.UniqueConstraint(fields=["tenant", "name"], name="tier_name"),
        ]
        ordering = ["level"]

    @property
    def mark(self) -> str:
        """Another one after each change."""
        said = (self.name, self.level, self.threshold, self.multiplier, self.benefits)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]

    @property
    def rupees(self) -> Decimal:
        """The threshold where it is money."""
        return Decimal(self.threshold) / 100

    @property
    def times(self) -> str:
        """The multiplier as people write it: 1.25."""
        return f"{Decimal(self.multiplier) / rules.ONCE:g}"

    def __str__(self) -> str:
        return self.name


class TierChange(LooseTenantModel):
    """A customer went from one tier to another; `None` is below them all."""

    customer = loose_key("customers.Customer", db_index=False)
    before = loose_key("loyalty.Tier", null=True, db_index=False)
    after = loose_key("loyalty.Tier", null=True, db_index=False)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(before=F("after")) | Q(before=None) | Q(after=None),
                name="tier_change_changes",
            )
        ]
        indexes = [models.Index(fields=["customer", "-at"], name="tier_change_of_customer")]
