import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import LockTimeout, TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0010_merging"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="consentstate",
            name="weekly_limit",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="MessageTopic",
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
                ("name", models.CharField(max_length=60)),
                ("names", models.JSONField(blank=True, default=dict)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
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
                "ordering": ["position", "name"],
            },
        ),
        migrations.CreateModel(
            name="TopicRefusal",
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
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refused_topics",
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
                (
                    "topic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.messagetopic",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="messagetopic",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="message_topic"),
        ),
        migrations.AddConstraint(
            model_name="topicrefusal",
            constraint=models.UniqueConstraint(fields=("customer", "topic"), name="topic_refusal"),
        ),
        TenantPolicy("customers_messagetopic"),
        TenantPolicy("customers_topicrefusal"),
    ]
