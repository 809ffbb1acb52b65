from django.db import models

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
    """Reference data: what a salon sells. The billing system owns it."""

    external_id = models.CharField(max_length=100)
    category = models.ForeignKey(ServiceCategory, on_delete=models.PROTECT, related_name="services")
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    duration_minutes = models.PositiveSmallIntegerField(default=30)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="service_key")
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
