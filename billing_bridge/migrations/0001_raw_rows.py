import django.core.serializers.json
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import CreatePartitionedModel, TenantPolicy

WALLS = """
-- What was sent stays as it was sent. Its body goes once, when a person in it is erased.
CREATE FUNCTION raw_row_is_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was sent is kept as it was sent' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER raw_row_stays BEFORE UPDATE ON billing_bridge_rawrow
    FOR EACH ROW WHEN (
        ROW(NEW.id, NEW.tenant_id, NEW.api_key_id, NEW.user_id, NEW.branch_id, NEW.operation,
            NEW.target, NEW.natural_key, NEW.idempotency_key, NEW.received_at)
        IS DISTINCT FROM
        ROW(OLD.id, OLD.tenant_id, OLD.api_key_id, OLD.user_id, OLD.branch_id, OLD.operation,
            OLD.target, OLD.natural_key, OLD.idempotency_key, OLD.received_at)
        OR NEW.body <> OLD.body AND (NEW.body <> '' OR NEW.forgotten_at IS NULL)
        OR OLD.state = 'applied' AND NEW.state <> 'applied')
    EXECUTE FUNCTION raw_row_is_proof();
CREATE TRIGGER raw_row_goes_by_month BEFORE DELETE ON billing_bridge_rawrow
    FOR EACH ROW EXECUTE FUNCTION raw_row_is_proof();
"""
UNDO = """
DROP TRIGGER raw_row_goes_by_month ON billing_bridge_rawrow;
DROP TRIGGER raw_row_stays ON billing_bridge_rawrow;
DROP FUNCTION raw_row_is_proof;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0008_notifications_and_delegations"),
        ("customers", "0021_visits_by_staff"),
    ]

    operations = [
        CreatePartitionedModel(
            name="RawPerson",
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
                ("row_id", models.UUIDField()),
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
            options={
                "indexes": [models.Index(fields=["customer"], name="raw_person_by_customer")],
            },
        ),
        CreatePartitionedModel(
            name="RawRow",
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
                ("api_key_id", models.UUIDField(null=True)),
                ("user_id", models.UUIDField(null=True)),
                ("branch_id", models.UUIDField(null=True)),
                ("operation", models.CharField(max_length=40)),
                ("target", models.CharField(blank=True, max_length=100)),
                ("natural_key", models.CharField(blank=True, max_length=200)),
                ("idempotency_key", models.CharField(blank=True, max_length=255)),
                ("body", models.BinaryField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("accepted", "Waiting"),
                            ("applied", "Applied"),
                            ("failed", "Failed"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "error",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
                (
                    "made",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=1)),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("applied_at", models.DateTimeField(null=True)),
                ("forgotten_at", models.DateTimeField(null=True)),
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
            options={
                "indexes": [
                    models.Index(fields=["tenant", "-id"], name="raw_row_newest"),
                    models.Index(
                        condition=models.Q(("state", "failed")),
                        fields=["tenant", "operation", "natural_key"],
                        name="raw_row_failed",
                    ),
                ],
            },
        ),
        TenantPolicy("billing_bridge_rawrow"),
        TenantPolicy("billing_bridge_rawperson"),
        migrations.RunSQL(WALLS, UNDO),
    ]
