import django.db.models.deletion
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [("segments", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="segment", name="branch_counts", field=models.JSONField(default=dict)
        ),
        migrations.CreateModel(
            name="MembershipChange",
            fields=[
                ("id", marketing.core.ids.DatabaseIdField(serialize=False)),
                ("batch_id", models.UUIDField()),
                ("customer_id", models.UUIDField()),
                ("entered", models.BooleanField()),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="segments.segment",
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
                "indexes": [
                    models.Index(fields=["batch_id", "entered"], name="membership_change_batch")
                ]
            },
        ),
        TenantPolicy("segments_membershipchange"),
    ]
