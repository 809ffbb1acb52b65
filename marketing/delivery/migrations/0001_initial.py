from decimal import Decimal

import django.contrib.postgres.fields
import django.core.serializers.json
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import CreatePartitionedModel, TenantPolicy


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("content", "0001_initial"),
        ("core", "0002_partition_functions"),
        ("customers", "0001_initial"),
        ("policy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactLoad",
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
                    "sent",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateTimeField(), default=list, size=None
                    ),
                ),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="load",
                        to="customers.customer",
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
                "verbose_name_plural": "contact loads",
            },
        ),
        migrations.CreateModel(
            name="DispatchBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("run_id", models.UUIDField()),
                ("account_id", models.UUIDField(null=True)),
                (
                    "channel",
                    models.CharField(
                        choices=[("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", "E-mail")],
                        max_length=20,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("priority", models.SmallIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("leased", "Leased"),
                            ("stopped", "Stopped with its run"),
                            ("done", "Done"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "next_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("token", models.UUIDField(null=True)),
                ("leased_until", models.DateTimeField(null=True)),
                ("first_id", models.UUIDField(null=True)),
                ("last_id", models.UUIDField(null=True)),
                ("queued", models.PositiveIntegerField(default=0)),
                ("sending", models.PositiveIntegerField(default=0)),
                ("sent", models.PositiveIntegerField(default=0)),
                ("delivered", models.PositiveIntegerField(default=0)),
                ("read", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("skipped", models.PositiveIntegerField(default=0)),
                ("held", models.PositiveIntegerField(default=0)),
                ("unknown", models.PositiveIntegerField(default=0)),
                (
                    "cost",
                    models.DecimalField(decimal_places=4, default=Decimal("0"), max_digits=14),
                ),
            ],
            options={
                "verbose_name_plural": "dispatch batches",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "leased"])),
                        fields=["-priority", "next_at", "id"],
                        name="batch_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run_id", "number"), name="batch_of_run")
                ],
            },
        ),
        migrations.CreateModel(
            name="SendRun",
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
                            ("ready", "Ready"),
                            ("frozen", "Frozen"),
                            ("paused", "Paused"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="ready",
                        max_length=10,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("campaign", "Campaign"),
                            ("trigger", "Trigger"),
                            ("transactional", "Transactional"),
                            ("test", "Test"),
                        ],
                        max_length=15,
                    ),
                ),
                ("pause_reason", models.CharField(blank=True, max_length=60)),
                ("pause_detail", models.TextField(blank=True)),
                ("campaign_id", models.UUIDField(null=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("promotional", "Promotional"),
                            ("service", "Service"),
                            ("transactional", "Transactional"),
                        ],
                        max_length=20,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                ("steps", models.JSONField()),
                (
                    "branch_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), null=True, size=None
                    ),
                ),
                ("charged_branch_id", models.UUIDField(null=True)),
                ("audience", models.PositiveIntegerField(default=0)),
                ("reserved", models.JSONField(default=dict)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("frozen_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
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
        CreatePartitionedModel(
            name="Message",
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
                ("campaign_id", models.UUIDField(null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("campaign", "Campaign"),
                            ("trigger", "Trigger"),
                            ("transactional", "Transactional"),
                            ("test", "Test"),
                        ],
                        max_length=15,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", "E-mail")],
                        max_length=20,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("promotional", "Promotional"),
                            ("service", "Service"),
                            ("transactional", "Transactional"),
                        ],
                        max_length=20,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=254)),
                ("language", models.CharField(max_length=10)),
                (
                    "variables",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("read", "Read"),
                            ("failed", "Failed"),
                            ("skipped", "Skipped"),
                            ("held", "Held"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=30)),
                ("not_before", models.DateTimeField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("attempt_of", models.UUIDField(null=True)),
                ("fallback_id", models.UUIDField(null=True)),
                ("sending_at", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("delivered_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("provider_message_id", models.CharField(blank=True, max_length=150)),
                ("error_code", models.CharField(blank=True, max_length=30)),
                ("error_class", models.CharField(blank=True, max_length=20)),
                ("error_detail", models.CharField(blank=True, max_length=255)),
                ("segments", models.PositiveSmallIntegerField(default=1)),
                (
                    "cost",
                    models.DecimalField(decimal_places=4, default=Decimal("0"), max_digits=10),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="policy.provideraccount",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="delivery.dispatchbatch",
                    ),
                ),
                (
                    "branch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="core.branch",
                    ),
                ),
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
                    "template_version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="content.templateversion",
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
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="delivery.sendrun",
                    ),
                ),
            ],
        ),
        CreatePartitionedModel(
            name="WebhookEvent",
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
                ("account_id", models.UUIDField()),
                ("provider", models.CharField(max_length=20)),
                ("body", models.BinaryField()),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "next_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("applied_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
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
            name="WebhookKey",
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
                ("account_id", models.UUIDField()),
                ("key", models.CharField(max_length=255)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
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
            name="ProviderReference",
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
                ("account_id", models.UUIDField()),
                ("reference", models.CharField(max_length=150)),
                ("message_id", models.UUIDField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
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
                        condition=models.Q(("reference", ""), _negated=True),
                        fields=("account_id", "reference"),
                        name="provider_reference",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="sendrun",
            index=models.Index(fields=["tenant", "state"], name="send_run_state"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["customer", "-id"], name="message_by_customer"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["run", "id"], name="message_by_run"),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(
                condition=models.Q(("applied_at", None)),
                fields=["tenant", "next_at"],
                name="webhook_event_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookkey",
            constraint=models.UniqueConstraint(fields=("account_id", "key"), name="webhook_key"),
        ),
        TenantPolicy("delivery_sendrun"),
        TenantPolicy("delivery_contactload"),
        TenantPolicy("delivery_message"),
        TenantPolicy("delivery_providerreference"),
        TenantPolicy("delivery_webhookevent"),
        TenantPolicy("delivery_webhookkey"),
    ]
