from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from marketing.core.tenancy import TenantModel


class ServiceCategory(TenantModel):
    external_id = models.CharField(max_length=100)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="service_category_key")
        ]
        ordering = ["name"]
        verbose_name_plural = "service categories"

    def __str__(self) -> str:
        return self.name


class Service(TenantModel):
    """Reference data: what a salon sells. The billing system owns it.

    `tax_rate` is per cent of GST; None where nobody said.
    """

    external_id = models.CharField(max_length=100)
    category = models.ForeignKey(ServiceCategory, on_delete=models.PROTECT, related_name="services")
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    tax_rate = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    duration_minutes = models.PositiveSmallIntegerField(default=30)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="service_key"),
            models.CheckConstraint(
                condition=Q(tax_rate=None) | Q(tax_rate__range=(0, 100)), name="service_tax_rate"
            ),
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
