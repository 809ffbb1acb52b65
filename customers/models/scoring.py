from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketing.core.tenancy import TenantModel


def recency_limits() -> list[int]:
    return [31, 91, 181, 366]


def frequency_limits() -> list[int]:
    return [2, 3, 5, 10]


def monetary_limits() -> list[Decimal]:
    return [Decimal(amount) for amount in (2_000, 5_000, 10_000, 25_000)]


def _days(default: int) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(default=default, validators=[MinValueValidator(1)])


class ScoringConfig(TenantModel):
    """What a chain calls new, loyal or lost, and late.

    Four limits part five scores: a score changes at a limit itself. The `…_limits` are the
    chain's own, the `…_quintiles` part last night's customers into fifths. `version` grows
    with every change that scores depend on; `CustomerFacts` keeps the one it was computed with.
    """

    class RfmMode(models.TextChoices):
        FIXED = "fixed", _("Fixed limits")
        QUINTILE = "quintile", _("Fifths of your own customers")

    new_days = _days(30)
    active_visits = models.PositiveSmallIntegerField(default=2, validators=[MinValueValidator(1)])
    active_days = _days(90)
    engaged_visits = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1)])
    engaged_days = _days(180)
    at_risk_days = _days(90)
    churned_days = _days(180)
    reactivated_days = _days(90)
    overdue_factor = models.DecimalField(
        max_digits=4,
        decimal_places=2,
        default=Decimal("1.5"),
        validators=[MinValueValidator(Decimal("1"))],
    )
    rfm_mode = models.CharField(max_length=10, choices=RfmMode.choices, default=RfmMode.FIXED)
    recency_limits = ArrayField(models.PositiveIntegerField(), size=4, default=recency_limits)
    frequency_limits = ArrayField(models.PositiveIntegerField(), size=4, default=frequency_limits)
    monetary_limits = ArrayField(
        models.DecimalField(max_digits=12, decimal_places=2), size=4, default=monetary_limits
    )
    recency_quintiles = ArrayField(
        models.PositiveIntegerField(), null=True, blank=True, editable=False
    )
    frequency_quintiles = ArrayField(
        models.PositiveIntegerField(), null=True, blank=True, editable=False
    )
    monetary_quintiles = ArrayField(
        models.DecimalField(max_digits=12, decimal_places=2), null=True, blank=True, editable=False
    )
    quintiles_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_scoring_per_tenant")]
