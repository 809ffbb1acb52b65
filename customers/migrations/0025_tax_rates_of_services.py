import django.core.validators
from django.db import migrations, models
from django.db.models import Q

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0024_discounts_in_facts"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="service",
            name="tax_rate",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                max_digits=5,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(100),
                ],
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=Q(tax_rate=None) | Q(tax_rate__range=(0, 100)), name="service_tax_rate"
            ),
        ),
    ]
