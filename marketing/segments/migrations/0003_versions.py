import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("segments", "0002_counts_by_branch_and_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SegmentVersion",
            fields=[
                ("id", marketing.core.ids.DatabaseIdField(serialize=False)),
                ("version", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=100)),
                ("rules", models.JSONField(default=dict)),
                ("saved_at", models.DateTimeField(db_default=Now())),
                (
                    "saved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=["tenant", "segment", "version"], name="segment_version"
                    )
                ],
            },
        ),
        TenantPolicy("segments_segmentversion"),
        # The first change after this one must not lose what the rules were before.
        migrations.RunSQL(
            """
            INSERT INTO segments_segmentversion
                (tenant_id, segment_id, version, name, rules, saved_by_id, saved_at)
            SELECT tenant_id, id, version, name, rules,
                   CASE WHEN version = 1 THEN created_by_id END, updated_at
            FROM segments_segment
            """,
            migrations.RunSQL.noop,
        ),
    ]
