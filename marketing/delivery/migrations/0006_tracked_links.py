import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import MD5, Now

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import CreatePartitionedModel, LockTimeout, TenantPolicy

CHANNELS = [("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", "E-mail")]
KINDS = [("click", "Clicked"), ("open", "Opened")]

FUNCTION = """
-- Which tenants have engagement to count: the application's role sees one tenant at a time.
CREATE FUNCTION uncounted_engagement() RETURNS TABLE (tenant uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT tenant_id FROM delivery_engagement WHERE NOT is_counted
$$;
"""


def key() -> marketing.core.ids.DatabaseIdField:
    return marketing.core.ids.DatabaseIdField(
        db_default=marketing.core.ids.UUIDv7(), editable=False, primary_key=True, serialize=False
    )


def tenant(**options: object) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False,
        default=marketing.core.tenancy.open_tenant_id,
        editable=False,
        related_name="+",
        to="core.tenant",
        **{"on_delete": django.db.models.deletion.PROTECT, **options},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_drop_partitions"),
        ("customers", "0004_search_name"),
        ("delivery", "0005_inbound_messages"),
    ]

    operations = [
        LockTimeout(),
        migrations.CreateModel(
            name="TrackedLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("version_id", models.UUIDField()),
                ("source", models.TextField(blank=True)),
                ("channel", models.CharField(choices=CHANNELS, max_length=20)),
                ("content", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField(db_default=Now())),
            ],
        ),
        migrations.AddConstraint(
            model_name="trackedlink",
            constraint=models.UniqueConstraint(
                models.F("version_id"), MD5("source"), name="tracked_link"
            ),
        ),
        CreatePartitionedModel(
            name="Engagement",
            fields=[
                ("id", key()),
                ("kind", models.CharField(choices=KINDS, max_length=10)),
                ("message_id", models.UUIDField()),
                ("run_id", models.UUIDField()),
                ("link_id", models.BigIntegerField()),
                ("at", models.DateTimeField(db_default=Now())),
                ("machine", models.CharField(blank=True, max_length=20)),
                ("agent", models.CharField(blank=True, max_length=30)),
                ("is_counted", models.BooleanField(db_default=False)),
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
                    "tenant",
                    tenant(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="engagement",
            index=models.Index(fields=["customer", "id"], name="engagement_by_customer"),
        ),
        migrations.AddIndex(
            model_name="engagement",
            index=models.Index(
                condition=models.Q(("is_counted", False)),
                fields=["tenant", "id"],
                name="engagement_uncounted",
            ),
        ),
        migrations.CreateModel(
            name="LinkCount",
            fields=[
                ("id", key()),
                ("run_id", models.UUIDField()),
                ("link_id", models.BigIntegerField()),
                ("kind", models.CharField(choices=KINDS, max_length=10)),
                ("times", models.PositiveIntegerField(db_default=0)),
                ("people", models.PositiveIntegerField(db_default=0)),
                ("first_people", models.PositiveIntegerField(db_default=0)),
                ("machine_times", models.PositiveIntegerField(db_default=0)),
                ("tenant", tenant()),
            ],
        ),
        migrations.AddConstraint(
            model_name="linkcount",
            constraint=models.UniqueConstraint(fields=("run_id", "link_id"), name="link_count"),
        ),
        migrations.AddField(
            model_name="message", name="opened_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="message", name="clicked_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="sendrun",
            name="label",
            field=models.CharField(blank=True, db_default="", max_length=255),
        ),
        TenantPolicy("delivery_engagement"),
        TenantPolicy("delivery_linkcount"),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION uncounted_engagement"),
    ]
