from django.contrib.postgres.fields import ArrayField
from django.db import models

from marketing.core.ids import IdentifiedModel
from marketing.core.tenancy import TenantModel


class Tenant(IdentifiedModel):
    """A salon chain. Global: it is what a scope is opened for."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(unique=True)
    time_zone = models.CharField(max_length=50, default="Asia/Kolkata")
    currency = models.CharField(max_length=3, default="INR")
    country = models.CharField(max_length=2, default="IN")
    languages = ArrayField(models.CharField(max_length=10), default=list)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Region(TenantModel):
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="region_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Branch(TenantModel):
    """A salon. Its time zone decides send windows and what "today" is."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="branches")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    city = models.CharField(max_length=100)
    address = models.CharField(max_length=255, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    time_zone = models.CharField(max_length=50, default="Asia/Kolkata")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="branch_code")]
        ordering = ["name"]
        verbose_name_plural = "branches"

    def __str__(self) -> str:
        return self.name
