"""How a chain rewards whoever brings a friend."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Service
from marketing.core.tenancy import TenantModel
from marketing.coupons.models import Offer


class RewardType(models.TextChoices):
    """Module 11's three. A discount is in percent."""

    POINTS = "points", _("Points")
    DISCOUNT = "discount", _("Discount")
    FREE_SERVICE = "free_service", _("Free service")


class RewardOn(models.TextChoices):
    SIGNUP = "signup", _("When the friend signs up")
    FIRST_VISIT = "first_visit", _("First visit")
    FIRST_PAID_VISIT = "first_paid_visit", _("First paid visit")
    SECOND_VISIT = "second_visit", _("Second paid visit")


class ReferralProgramme(TenantModel):
    """Module 11's `ReferralConfig`, and what was added: one a chain.

    The friend's discount is `friend_offer`, opened by her first bill; codes of `referrer_offer`
    are given to who brought her. Both are kept as the rewards say. After the qualifying bill
    nothing is given for `hold_days`. Held for review are more than `weekly_rewards` in 7 days or
    `monthly_rewards` in 30, and friends of a code that one member of staff, or one key, entered
    more than `entries_per_staff` times a day at a branch. `share_text` is by language.
    """

    is_enabled = models.BooleanField(default=True)
    referrer_reward_type = models.CharField(
        max_length=20, choices=RewardType.choices, default=RewardType.POINTS
    )
    referrer_reward_value = models.DecimalField(
        max_digits=10, decimal_places=2, default=Decimal(100), validators=[MinValueValidator(0)]
    )
    referrer_reward_service = models.ForeignKey(
        Service, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    referred_reward_type = models.CharField(
        max_length=20, choices=RewardType.choices, default=RewardType.DISCOUNT
    )
    referred_reward_value = models.DecimalField(
        max_digits=10, decimal_places=2, default=Decimal(10), validators=[MinValueValidator(0)]
    )
    referred_reward_service = models.ForeignKey(
        Service, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    max_referrals_per_month = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    min_order_for_reward = models.DecimalField(
        max_digits=10, decimal_places=2, default=Decimal(500), validators=[MinValueValidator(0)]
    )
    reward_on = models.CharField(
        max_length=20, choices=RewardOn.choices, default=RewardOn.FIRST_PAID_VISIT
    )
    hold_days = models.PositiveSmallIntegerField(default=7, validators=[MaxValueValidator(90)])
    weekly_rewards = models.PositiveIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    monthly_rewards = models.PositiveIntegerField(
        default=20, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    reward_days = models.PositiveSmallIntegerField(
        default=90, validators=[MinValueValidator(1), MaxValueValidator(1_100)]
    )
    entries_per_staff = models.PositiveSmallIntegerField(
        default=5, db_default=5, validators=[MinValueValidator(1), MaxValueValidator(1_000)]
    )
    flags_surnames = models.BooleanField(default=True)
    share_text = models.JSONField(default=dict, blank=True)
    friend_offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, null=True, related_name="+", editable=False, db_index=False
    )
    referrer_offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, null=True, related_name="+", editable=False, db_index=False
    )
    version = models.PositiveIntegerField(db_default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="referral_programme_of_chain")
        ]

    def __str__(self) -> str:
        return str(_("Referrals"))
