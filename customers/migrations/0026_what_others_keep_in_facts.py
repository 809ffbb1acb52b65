import django.contrib.postgres.fields
from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0025_tax_rates_of_services"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="customerfacts",
            name="codes_held",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), null=True, size=None
            ),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="offers_used",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), null=True, size=None
            ),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="points_balance",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="points_expire_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="points_tier_id",
            field=models.UUIDField(null=True),
        ),
    ]
