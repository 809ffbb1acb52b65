import django.contrib.postgres.fields
import django.core.serializers.json
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import LockTimeout, TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0006_parents_of_append_tables"),
        ("customers", "0008_scores_and_rhythms"),
    ]

    operations = [
        LockTimeout(),
        migrations.CreateModel(
            name="ImportJob",
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
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Columns to be chosen"),
                            ("mapped", "Waiting to be checked"),
                            ("checking", "Being checked"),
                            ("checked", "Checked"),
                            ("importing", "Being imported"),
                            ("done", "Imported"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Failed"),
                        ],
                        default="uploaded",
                        max_length=10,
                    ),
                ),
                (
                    "branch_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), null=True, size=None
                    ),
                ),
                ("file_name", models.CharField(max_length=200)),
                ("file_bytes", models.BigIntegerField()),
                ("format", models.CharField(max_length=4)),
                ("encoding", models.CharField(blank=True, max_length=10)),
                ("delimiter", models.CharField(blank=True, max_length=1)),
                (
                    "headers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None
                    ),
                ),
                ("samples", models.JSONField(default=list)),
                ("mapping", models.JSONField(default=list)),
                ("options", models.JSONField(default=dict)),
                ("total_rows", models.PositiveIntegerField(default=0)),
                ("checked_rows", models.PositiveIntegerField(default=0)),
                ("checked_line", models.PositiveIntegerField(default=0)),
                ("imported_rows", models.PositiveIntegerField(default=0)),
                ("imported_line", models.PositiveIntegerField(default=0)),
                ("counts", models.JSONField(default=dict)),
                ("reasons", models.JSONField(default=dict)),
                ("result", models.JSONField(default=dict)),
                ("error", models.TextField(blank=True)),
                ("leased_until", models.DateTimeField(null=True)),
                ("is_tidy", models.BooleanField(default=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "started_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.staff",
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
            name="ImportMapping",
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
                ("headers_hash", models.CharField(max_length=64)),
                ("mapping", models.JSONField()),
                ("options", models.JSONField(default=dict)),
                ("updated_at", models.DateTimeField(auto_now=True)),
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
            name="ImportPart",
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
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.importjob",
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
        ),
        migrations.CreateModel(
            name="ImportRow",
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
                ("line", models.PositiveIntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("changed", "Changed"),
                            ("unchanged", "Unchanged"),
                            ("duplicate", "Repeats another line"),
                            ("invalid", "Not accepted"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "problems",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), default=list, size=None
                    ),
                ),
                (
                    "cells",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), null=True, size=None
                    ),
                ),
                ("customer_id", models.UUIDField(null=True)),
                ("given_id", models.UUIDField(null=True)),
                ("external_id", models.CharField(max_length=100, null=True)),
                ("first_name", models.CharField(max_length=100, null=True)),
                ("last_name", models.CharField(max_length=100, null=True)),
                ("phone", models.CharField(max_length=20, null=True)),
                ("email", models.CharField(max_length=254, null=True)),
                ("whatsapp_id", models.CharField(max_length=140, null=True)),
                ("birth_date", models.DateField(null=True)),
                ("anniversary", models.DateField(null=True)),
                ("gender", models.CharField(max_length=10, null=True)),
                ("language", models.CharField(max_length=10, null=True)),
                ("preferred_channel", models.CharField(max_length=20, null=True)),
                ("home_branch_id", models.UUIDField(null=True)),
                ("latitude", models.FloatField(null=True)),
                ("longitude", models.FloatField(null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50), null=True, size=None
                    ),
                ),
                (
                    "attributes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder, null=True
                    ),
                ),
                ("consents", models.JSONField(null=True)),
                (
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.importjob",
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
        ),
        migrations.AddIndex(
            model_name="importjob",
            index=models.Index(fields=["tenant", "-id"], name="import_job_newest"),
        ),
        migrations.AddConstraint(
            model_name="importmapping",
            constraint=models.UniqueConstraint(
                fields=("tenant", "headers_hash"), name="import_mapping"
            ),
        ),
        migrations.AddConstraint(
            model_name="importpart",
            constraint=models.UniqueConstraint(
                fields=("tenant", "job", "number"), name="import_part"
            ),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.UniqueConstraint(fields=("tenant", "job", "line"), name="import_row"),
        ),
        TenantPolicy("customers_importjob"),
        TenantPolicy("customers_importpart"),
        TenantPolicy("customers_importrow"),
        TenantPolicy("customers_importmapping"),
    ]
