import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import LockTimeout, TenantPolicy

KEYWORDS = [("stop", "Stop"), ("start", "Start again"), ("help", "Help")]


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
    dependencies = [("delivery", "0004_what_steps_may_cost")]
    operations = [
        LockTimeout(),
        migrations.AlterField(
            model_name="message",
            name="template_version",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="content.templateversion",
            ),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("applied", "Applied"),
                    ("unknown", "Unknown message"),
                    ("unreadable", "Unreadable"),
                ],
                db_default="waiting",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="error",
            field=models.TextField(blank=True, db_default=""),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(fields=["account_id", "-id"], name="webhook_event_by_account"),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(
                condition=models.Q(("state__in", ["unknown", "unreadable"])),
                fields=["account_id", "-id"],
                name="webhook_event_trouble",
            ),
        ),
        migrations.CreateModel(
            name="InboundMessage",
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
                ("tenant", tenant_key()),
                ("account_id", models.UUIDField()),
                ("key", models.CharField(max_length=255)),
                (
                    "channel",
                    models.CharField(
                        choices=[("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", "E-mail")],
                        max_length=20,
                    ),
                ),
                ("sender", models.CharField(max_length=254)),
                ("is_known", models.BooleanField()),
                ("text", models.TextField(blank=True)),
                (
                    "keyword",
                    models.CharField(blank=True, choices=KEYWORDS, max_length=10),
                ),
                ("said_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_id", "key"), name="inbound_message_key"
                    )
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at__isnull", False)),
                        fields=["account_id", "sender"],
                        name="inbound_message_answered",
                    ),
                    models.Index(
                        condition=models.Q(("is_known", False)),
                        fields=["tenant", "-id"],
                        name="inbound_message_stranger",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExtraKeyword",
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
                ("tenant", tenant_key()),
                ("keyword", models.CharField(choices=KEYWORDS, max_length=10)),
                ("word", models.CharField(max_length=50)),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "word"), name="extra_keyword")
                ],
            },
        ),
        TenantPolicy("delivery_inboundmessage"),
        TenantPolicy("delivery_extrakeyword"),
        migrations.DeleteModel(name="WebhookKey"),
    ]
