import django.db.models.deletion
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0007_keys_named_beside_the_columns"),
        ("policy", "0008_mailbox_faults"),
    ]

    operations = [
        migrations.CreateModel(
            name="BudgetHold",
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
                ("holder_id", models.UUIDField()),
                ("month", models.DateField()),
                ("amount", models.DecimalField(decimal_places=4, max_digits=14)),
                (
                    "branch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.branch",
                    ),
                ),
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
                "indexes": [models.Index(fields=["tenant", "month"], name="budget_hold_of_month")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "holder_id", "branch"),
                        name="budget_hold",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="budget_hold_is_something"
                    ),
                ],
            },
        ),
        TenantPolicy("policy_budgethold"),
    ]
