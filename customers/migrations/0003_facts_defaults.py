from decimal import Decimal

from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_customer_version"),
    ]

    operations = [
        LockTimeout(),
        migrations.AlterField(
            model_name="customerfacts",
            name="has_active_membership",
            field=models.BooleanField(db_default=False),
        ),
        migrations.AlterField(
            model_name="customerfacts",
            name="has_active_package",
            field=models.BooleanField(db_default=False),
        ),
        migrations.AlterField(
            model_name="customerfacts",
            name="membership_status",
            field=models.CharField(db_default="none", max_length=10),
        ),
        migrations.AlterField(
            model_name="customerfacts",
            name="package_sessions_left",
            field=models.PositiveIntegerField(db_default=0),
        ),
        migrations.AlterField(
            model_name="customerfacts",
            name="spend_365_days",
            field=models.DecimalField(db_default=Decimal("0"), decimal_places=2, max_digits=12),
        ),
        migrations.AlterField(
            model_name="customerfacts",
            name="spend_90_days",
            field=models.DecimalField(db_default=Decimal("0"), decimal_places=2, max_digits=12),
        ),
        migrations.AlterField(
            model_name="customerfacts",
            name="stage",
            field=models.CharField(
                choices=[
                    ("prospect", "Never visited"),
                    ("new", "New"),
                    ("active", "Active"),
                    ("engaged", "Engaged"),
                    ("at_risk", "At risk"),
                    ("churned", "Churned"),
                    ("reactivated", "Reactivated"),
                ],
                db_default="prospect",
                max_length=15,
            ),
        ),
        migrations.AlterField(
            model_name="customerfacts",
            name="total_spend",
            field=models.DecimalField(db_default=Decimal("0"), decimal_places=2, max_digits=12),
        ),
        migrations.AlterField(
            model_name="customerfacts",
            name="visit_count",
            field=models.PositiveIntegerField(db_default=0),
        ),
    ]
