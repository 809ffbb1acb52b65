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
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MessageTemplate",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("name", models.CharField(max_length=100)),
                ("description", models.TextField(blank=True)),
                (
                    "channel",
                    models.CharField(
                        choices=[("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", "E-mail")],
                        max_length=20,
                    ),
                ),
                (
                    "template_type",
                    models.CharField(
                        choices=[
                            ("promotional", "Promotional"),
                            ("transactional", "Transactional"),
                            ("trigger", "Trigger"),
                        ],
                        max_length=30,
                    ),
                ),
                ("category", models.CharField(blank=True, max_length=50)),
                ("trigger_type", models.CharField(blank=True, max_length=50)),
                ("version", models.PositiveIntegerField(default=1)),
                ("is_system", models.BooleanField(default=False)),
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
            name="TemplateVersion",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("contents", models.JSONField()),
                (
                    "placeholders",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), default=list, size=None
                    ),
                ),
                ("whatsapp_template_name", models.CharField(blank=True, max_length=512)),
                (
                    "whatsapp_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("pending", "Waiting for WhatsApp"),
                            ("approved", "Approved by WhatsApp"),
                            ("rejected", "Rejected by WhatsApp"),
                            ("paused", "Paused by WhatsApp"),
                            ("disabled", "Disabled by WhatsApp"),
                        ],
                        max_length=20,
                    ),
                ),
                ("whatsapp", models.JSONField(default=dict)),
                ("dlt_template_id", models.CharField(blank=True, max_length=40)),
                ("vendor_template_id", models.CharField(blank=True, max_length=100)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="content.messagetemplate",
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
            model_name="messagetemplate",
            index=models.Index(
                fields=["tenant", "channel", "is_active"], name="template_by_channel"
            ),
        ),
        migrations.AddConstraint(
            model_name="templateversion",
            constraint=models.UniqueConstraint(
                fields=("tenant", "template", "number"), name="template_version"
            ),
        ),
        TenantPolicy("content_messagetemplate"),
        TenantPolicy("content_templateversion"),
    ]
