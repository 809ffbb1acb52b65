import django.db.models.deletion
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0009_tills_of_keys"),
        ("customers", "0024_discounts_in_facts"),
        ("referrals", "0003_both_are_told_from_the_beginning"),
    ]

    operations = [
        migrations.CreateModel(
            name="SeenToken",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("instrument", "Card, UPI account or wallet"),
                            ("device", "Device"),
                        ],
                        max_length=10,
                    ),
                ),
                ("digest", models.BinaryField(max_length=32)),
                ("seen_at", models.DateTimeField()),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=marketing.core.tenancy.open_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="core.tenant",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["customer"], name="seen_token_of"),
                    models.Index(fields=["tenant", "seen_at"], name="seen_token_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "kind", "digest", "customer"), name="seen_token"
                    )
                ],
            },
        ),
        TenantPolicy("referrals_seentoken"),
    ]
