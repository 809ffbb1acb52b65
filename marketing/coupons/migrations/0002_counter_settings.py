import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0008_notifications_and_delegations"),
        ("coupons", "0001_offers_codes_and_bills"),
    ]

    operations = [
        migrations.CreateModel(
            name="CounterSettings",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(
                        db_default=marketing.core.ids.UUIDv7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "tax_rounding",
                    models.CharField(
                        choices=[
                            ("line", "On each line"),
                            ("sum_by_rate_keep_gross", "Once for each rate of tax"),
                        ],
                        default="line",
                        max_length=30,
                    ),
                ),
                (
                    "choice",
                    models.CharField(
                        choices=[
                            ("best_deal", "The set that saves the customer most"),
                            ("in_order", "In order of priority, as far as they fit"),
                        ],
                        default="best_deal",
                        max_length=10,
                    ),
                ),
                (
                    "max_bill_discount",
                    models.PositiveBigIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000000000),
                        ],
                    ),
                ),
                (
                    "compared",
                    models.PositiveSmallIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(12),
                        ],
                    ),
                ),
                (
                    "stack_size",
                    models.PositiveSmallIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(4),
                        ],
                    ),
                ),
                (
                    "max_codes",
                    models.PositiveSmallIntegerField(
                        default=5,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(20),
                        ],
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        default=marketing.core.tenancy.open_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "counter settings",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant",), name="counter_settings_of_chain"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("compared__gte", 1),
                            ("stack_size__gte", 1),
                            models.Q(
                                ("max_bill_discount", None),
                                ("max_bill_discount__gte", 1),
                                _connector="OR",
                            ),
                        ),
                        name="counter_settings_bounds",
                    ),
                ],
            },
        ),
        TenantPolicy("coupons_countersettings"),
    ]
