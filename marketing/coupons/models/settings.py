"""How a chain prices its bills: one row a chain, missing until something is changed."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketing.core.tenancy import TenantModel


class CounterSettings(TenantModel):
    """The engine's `pricing.facts.Settings` as a row; its defaults are the engine's.

    `max_bill_discount` is paise, None without a limit. `prices_include_tax` is where bills of the
    counter's page begin; a bill over HTTP says for itself. Bills keep the settings they were priced
    by, so a change is for bills priced from then on.
    """

    class TaxRounding(models.TextChoices):
        LINE = "line", _("On each line")
        SUM_BY_RATE_KEEP_GROSS = "sum_by_rate_keep_gross", _("Once for each rate of tax")

    class Choice(models.TextChoices):
        BEST_DEAL = "best_deal", _("What saves the customer most")
        IN_ORDER = "in_order", _("By priority, as far as they fit")

    tax_rounding = models.CharField(
        max_length=30, choices=TaxRounding.choices, default=TaxRounding.LINE
    )
    choice = models.CharField(max_length=10, choices=Choice.choices, default=Choice.BEST_DEAL)
    max_bill_discount = models.PositiveBigIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1_000_000_000)]
    )
    compared = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    stack_size = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    max_codes = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(0), MaxValueValidator(20)]
    )
    prices_include_tax = models.BooleanField(default=True, db_default=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="counter_settings_of_chain"),
            models.CheckConstraint(
                condition=Q(compared__gte=1, stack_size__gte=1)
                & (Q(max_bill_discount=None) | Q(max_bill_discount__gte=1)),
                name="counter_settings_bounds",
            ),
        ]
        verbose_name_plural = "counter settings"

    def __str__(self) -> str:
        return str(_("Billing counter"))
