import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy


def tenant_key() -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False,
        default=marketing.core.tenancy.open_tenant_id,
        editable=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="core.tenant",
    )


class Migration(migrations.Migration):
    dependencies = [("segments", "0003_versions")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE segments_refresh_number", "DROP SEQUENCE segments_refresh_number"
        ),
        migrations.AddField(
            model_name="segment", name="refresh_number", field=models.BigIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="segment", name="keeps_members", field=models.BooleanField(default=False)
        ),
        migrations.CreateModel(
            name="SegmentSize",
            fields=[
                ("id", marketing.core.ids.DatabaseIdField(serialize=False)),
                ("day", models.DateField()),
                ("customer_count", models.PositiveIntegerField()),
                ("branch_counts", models.JSONField(default=dict)),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sizes",
                        to="segments.segment",
                    ),
                ),
                ("tenant", tenant_key()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "segment", "day"), name="segment_size_day"
                    )
                ]
            },
        ),
        TenantPolicy("segments_segmentsize"),
        migrations.CreateModel(
            name="StaleMember",
            fields=[
                ("id", marketing.core.ids.DatabaseIdField(serialize=False)),
                ("customer_id", models.UUIDField()),
                ("marked_at", models.DateTimeField(db_default=Now())),
                ("tenant", tenant_key()),
            ],
            options={"abstract": False},
        ),
        TenantPolicy("segments_stalemember"),
    ]
