from decimal import Decimal

from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0023_when_it_was_so"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="customerfacts",
            name="discount_365_days",
            field=models.DecimalField(db_default=Decimal("0"), decimal_places=2, max_digits=12),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="discount_90_days",
            field=models.DecimalField(db_default=Decimal("0"), decimal_places=2, max_digits=12),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="last_offer_at",
            field=models.DateTimeField(null=True),
        ),
    ]
