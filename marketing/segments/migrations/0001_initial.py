import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0002_partition_functions"),
        ("customers", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Segment",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("name", models.CharField(max_length=100)),
                ("description", models.TextField(blank=True)),
                (
                    "segment_type",
                    models.CharField(
                        choices=[("system", "Built in"), ("custom", "Custom")],
                        default="custom",
                        max_length=20,
                    ),
                ),
                ("is_dynamic", models.BooleanField(default=True)),
                ("rules", models.JSONField(default=dict)),
                ("customer_count", models.PositiveIntegerField(default=0)),
                ("last_refreshed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "branch_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, null=True, size=None
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
        ),
        migrations.CreateModel(
            name="SegmentMember",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                (
                    "added_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
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
        ),
        migrations.AddIndex(
            model_name="segment",
            index=models.Index(fields=["tenant", "is_active"], name="segment_active"),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("segment_type", "system")),
                fields=("tenant", "name"),
                name="system_segment_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="segmentmember",
            constraint=models.UniqueConstraint(
                fields=("segment", "customer"), name="segment_member"
            ),
        ),
        TenantPolicy("segments_segment"),
        TenantPolicy("segments_segmentmember"),
    ]
