import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy

WALLS = """
-- What is posted stays: corrections are more entries.
CREATE FUNCTION loyalty_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the points ledger is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER points_entry_stays BEFORE UPDATE OR DELETE ON loyalty_pointsentry
    FOR EACH ROW EXECUTE FUNCTION loyalty_is_immutable();
CREATE TRIGGER points_transaction_stays BEFORE DELETE ON loyalty_pointstransaction
    FOR EACH ROW EXECUTE FUNCTION loyalty_is_immutable();
-- The words of an adjustment may be blanked when the person is erased, nothing else.
CREATE TRIGGER points_transaction_is_final BEFORE UPDATE ON loyalty_pointstransaction
    FOR EACH ROW WHEN (
        ROW(NEW.id, NEW.tenant_id, NEW.customer_id, NEW.kind, NEW.source_type, NEW.source_id,
            NEW.origin_id, NEW.branch_id, NEW.points, NEW.spend_paise, NEW.tier_points, NEW.at, NEW.actor_label,
            NEW.user_id, NEW.created_at)
        IS DISTINCT FROM
        ROW(OLD.id, OLD.tenant_id, OLD.customer_id, OLD.kind, OLD.source_type, OLD.source_id,
            OLD.origin_id, OLD.branch_id, OLD.points, OLD.spend_paise, OLD.tier_points, OLD.at, OLD.actor_label,
            OLD.user_id, OLD.created_at))
    EXECUTE FUNCTION loyalty_is_immutable();

-- Debits and credits of a transaction are equal when it is committed. Runs as the owner of the
-- tables: the tenant's scope may be over by then.
CREATE FUNCTION loyalty_entries_balance() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT sum(CASE side WHEN 'debit' THEN points ELSE -points END)
        FROM loyalty_pointsentry WHERE transaction_id = NEW.transaction_id) <> 0 THEN
        RAISE EXCEPTION 'entries of points transaction % do not balance', NEW.transaction_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER points_entries_balance AFTER INSERT ON loyalty_pointsentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION loyalty_entries_balance();
"""
UNDO = """
DROP TRIGGER points_entries_balance ON loyalty_pointsentry;
DROP FUNCTION loyalty_entries_balance;
DROP TRIGGER points_transaction_is_final ON loyalty_pointstransaction;
DROP TRIGGER points_transaction_stays ON loyalty_pointstransaction;
DROP TRIGGER points_entry_stays ON loyalty_pointsentry;
DROP FUNCTION loyalty_is_immutable;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0008_notifications_and_delegations"),
        ("customers", "0021_visits_by_staff"),
    ]

    operations = [
        migrations.CreateModel(
            name="PointsTransaction",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("earn", "Earned"),
                            ("bonus", "Bonus"),
                            ("activate", "Became active"),
                            ("hold", "Held for a bill"),
                            ("post", "Used"),
                            ("void", "Given back unused"),
                            ("expire", "Expired"),
                            ("reverse_earn", "Taken back after a refund"),
                            ("reverse_spend", "Given back after a refund"),
                            ("adjust", "Corrected by hand"),
                            ("merge", "Merged with another customer"),
                            ("forfeit", "Given up"),
                        ],
                        max_length=20,
                    ),
                ),
                ("source_type", models.CharField(max_length=30)),
                ("source_id", models.CharField(max_length=120)),
                ("points", models.BigIntegerField(db_default=0)),
                ("spend_paise", models.BigIntegerField(db_default=0)),
                ("tier_points", models.BigIntegerField(db_default=0)),
                ("at", models.DateTimeField()),
                ("reason", models.CharField(db_default="", max_length=200)),
                ("actor_label", models.CharField(db_default="", max_length=150)),
                ("user_id", models.UUIDField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
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
                    "origin",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loyalty.pointstransaction",
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
            name="PointsLot",
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
                ("points", models.BigIntegerField()),
                ("remaining", models.BigIntegerField()),
                ("reversed", models.BigIntegerField(db_default=0)),
                ("expired", models.BigIntegerField(db_default=0)),
                ("is_pending", models.BooleanField(db_default=False)),
                ("earned_at", models.DateTimeField()),
                ("active_at", models.DateTimeField()),
                ("due_on", models.DateField(null=True)),
                ("expires_on", models.DateField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
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
                (
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loyalty.pointstransaction",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PointsHold",
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
                ("points", models.BigIntegerField()),
                ("posted", models.BigIntegerField(db_default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "Held"),
                            ("posted", "Used"),
                            ("voided", "Given back"),
                            ("expired", "Ran out"),
                        ],
                        db_default="held",
                        max_length=10,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
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
                (
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loyalty.pointstransaction",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PointsEntry",
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
                    "account",
                    models.CharField(
                        choices=[
                            ("pending", "Not active yet"),
                            ("available", "Available"),
                            ("held", "Held for a bill"),
                            ("owed", "Owed"),
                            ("issued", "Issued"),
                            ("redeemed", "Redeemed"),
                            ("expired", "Expired"),
                            ("clawed_back", "Taken back"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "side",
                    models.CharField(
                        choices=[("debit", "Debit"), ("credit", "Credit")], max_length=6
                    ),
                ),
                ("points", models.BigIntegerField()),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
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
                (
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loyalty.pointstransaction",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "points entries",
            },
        ),
        migrations.CreateModel(
            name="LotUse",
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
                ("points", models.BigIntegerField()),
                ("returned", models.BigIntegerField(db_default=0)),
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
                    "lot",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loyalty.pointslot",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loyalty.pointstransaction",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EarnedLine",
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
                ("ref", models.CharField(max_length=100)),
                ("net_paise", models.BigIntegerField()),
                ("points", models.BigIntegerField()),
                ("refunded_paise", models.BigIntegerField(db_default=0)),
                ("reversed_points", models.BigIntegerField(db_default=0)),
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
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loyalty.pointstransaction",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Tier",
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
                ("name", models.CharField(max_length=50)),
                ("level", models.PositiveSmallIntegerField()),
                ("threshold", models.PositiveBigIntegerField()),
                ("multiplier", models.PositiveIntegerField(default=10000)),
                ("benefits", models.TextField(blank=True)),
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
                "ordering": ["level"],
            },
        ),
        migrations.CreateModel(
            name="PointsAccount",
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
                ("available", models.BigIntegerField(db_default=0)),
                ("pending", models.BigIntegerField(db_default=0)),
                ("held", models.BigIntegerField(db_default=0)),
                ("owed", models.BigIntegerField(db_default=0)),
                ("version", models.BigIntegerField(db_default=0)),
                ("next_expiry_on", models.DateField(null=True)),
                ("tier_since", models.DateTimeField(null=True)),
                ("tier_until", models.DateTimeField(null=True)),
                ("tier_in_grace", models.BooleanField(db_default=False)),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="points_account",
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
                    "tier",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.tier",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TierChange",
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
                    "after",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loyalty.tier",
                    ),
                ),
                (
                    "before",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="loyalty.tier",
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
            name="BalanceSnapshot",
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
                ("day", models.DateField()),
                ("available", models.BigIntegerField()),
                ("pending", models.BigIntegerField()),
                ("held", models.BigIntegerField()),
                ("owed", models.BigIntegerField()),
                ("through", models.UUIDField()),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "customer", "day"), name="snapshot_of_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EarnRate",
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
                    "points_per_100",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=8,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.servicecategory",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.service",
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
                        fields=("tenant", "service"), name="earn_rate_of_service"
                    ),
                    models.UniqueConstraint(
                        fields=("tenant", "category"), name="earn_rate_of_category"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("category__isnull", False), ("service", None)),
                            models.Q(("category", None), ("service__isnull", False)),
                            _connector="OR",
                        ),
                        name="earn_rate_of_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerProof",
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
                ("day", models.DateField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("through", models.UUIDField()),
                ("accounts", models.PositiveIntegerField()),
                ("differing", models.PositiveIntegerField()),
                ("examples", models.JSONField(default=list)),
                ("issued", models.BigIntegerField()),
                ("redeemed", models.BigIntegerField()),
                ("expired", models.BigIntegerField()),
                ("clawed_back", models.BigIntegerField()),
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
                    models.UniqueConstraint(fields=("tenant", "day"), name="proof_of_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="LoyaltyProgramme",
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
                ("is_enabled", models.BooleanField(default=False)),
                (
                    "points_per_100",
                    models.DecimalField(
                        decimal_places=2,
                        default=1,
                        max_digits=8,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                ("signup_bonus", models.PositiveIntegerField(default=0)),
                ("review_bonus", models.PositiveIntegerField(default=0)),
                ("referral_bonus", models.PositiveIntegerField(default=0)),
                ("birthday_bonus", models.PositiveIntegerField(default=0)),
                (
                    "min_redeem_points",
                    models.PositiveIntegerField(
                        default=1, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                ("max_redeem_points", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "max_redeem_percent",
                    models.PositiveSmallIntegerField(
                        default=100,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                    ),
                ),
                (
                    "point_value_paise",
                    models.PositiveIntegerField(
                        default=100, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "points_as",
                    models.CharField(
                        choices=[
                            ("tender", "A way to pay: tax stays as it is"),
                            ("discount", "A discount: the taxable value becomes less"),
                        ],
                        default="tender",
                        max_length=10,
                    ),
                ),
                (
                    "pending_days",
                    models.PositiveSmallIntegerField(
                        default=0, validators=[django.core.validators.MaxValueValidator(90)]
                    ),
                ),
                (
                    "expiry_months",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        default=12,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(120)],
                    ),
                ),
                (
                    "expiry_rounding",
                    models.CharField(
                        choices=[
                            ("none", "On the day itself"),
                            ("month", "At the end of the month"),
                            ("quarter", "At the end of the quarter"),
                            ("half_year", "At the end of the half year"),
                            ("year", "At the end of the year"),
                        ],
                        default="none",
                        max_length=10,
                    ),
                ),
                (
                    "negative_policy",
                    models.CharField(
                        choices=[
                            ("only_pending", "Take back only what is not active yet"),
                            ("within_balance", "Take back what she has, never below zero"),
                            ("unlimited", "Below zero, made good by the next points"),
                        ],
                        default="unlimited",
                        max_length=20,
                    ),
                ),
                (
                    "grace_days",
                    models.PositiveSmallIntegerField(
                        default=7, validators=[django.core.validators.MaxValueValidator(90)]
                    ),
                ),
                ("branch_adjust_limit", models.PositiveIntegerField(default=500)),
                ("regional_adjust_limit", models.PositiveIntegerField(default=5000)),
                (
                    "tier_basis",
                    models.CharField(
                        choices=[("spend", "Money spent"), ("points", "Points earned")],
                        default="spend",
                        max_length=10,
                    ),
                ),
                (
                    "tier_window",
                    models.CharField(
                        choices=[
                            ("rolling", "The last months, moving"),
                            ("calendar", "The calendar period"),
                        ],
                        default="rolling",
                        max_length=10,
                    ),
                ),
                (
                    "tier_span",
                    models.CharField(
                        choices=[
                            ("month", "Month"),
                            ("quarter", "Quarter"),
                            ("half_year", "Half year"),
                            ("year", "Year"),
                        ],
                        default="year",
                        max_length=10,
                    ),
                ),
                (
                    "tier_hold_days",
                    models.PositiveSmallIntegerField(
                        default=365,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1100),
                        ],
                    ),
                ),
                (
                    "tier_grace_months",
                    models.PositiveSmallIntegerField(
                        default=0, validators=[django.core.validators.MaxValueValidator(12)]
                    ),
                ),
                ("tier_grace_to_month_end", models.BooleanField(default=False)),
                ("version", models.PositiveIntegerField(db_default=1)),
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
                    models.UniqueConstraint(fields=("tenant",), name="loyalty_programme_of_chain"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("min_redeem_points__gte", 1), ("point_value_paise__gte", 1)
                        ),
                        name="loyalty_programme_points_are_worth_something",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="pointstransaction",
            index=models.Index(fields=["customer", "-id"], name="points_tx_of_customer"),
        ),
        migrations.AddIndex(
            model_name="pointstransaction",
            index=models.Index(
                condition=models.Q(("kind__in", ["earn", "bonus", "reverse_earn"])),
                fields=["customer", "at"],
                include=("tier_points", "spend_paise"),
                name="points_tx_for_tiers",
            ),
        ),
        migrations.AddConstraint(
            model_name="pointstransaction",
            constraint=models.UniqueConstraint(
                fields=("tenant", "source_type", "source_id", "kind"), name="points_posted_once"
            ),
        ),
        migrations.AddIndex(
            model_name="pointslot",
            index=models.Index(
                condition=models.Q(("remaining__gt", 0)),
                fields=["customer", "expires_at", "earned_at", "id"],
                name="points_lot_in_spend_order",
            ),
        ),
        migrations.AddIndex(
            model_name="pointslot",
            index=models.Index(fields=["transaction"], name="points_lot_of_tx"),
        ),
        migrations.AddIndex(
            model_name="pointslot",
            index=models.Index(
                condition=models.Q(("is_pending", False), ("remaining__gt", 0)),
                fields=["tenant", "expires_at"],
                name="points_lot_expires",
            ),
        ),
        migrations.AddIndex(
            model_name="pointslot",
            index=models.Index(
                condition=models.Q(("is_pending", True)),
                fields=["tenant", "active_at"],
                name="points_lot_activates",
            ),
        ),
        migrations.AddConstraint(
            model_name="pointslot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("points__gt", 0), ("remaining__gte", 0), ("remaining__lte", models.F("points"))
                ),
                name="points_lot_holds_what_it_can",
            ),
        ),
        migrations.AddConstraint(
            model_name="pointslot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reversed__gte", 0),
                    ("reversed__lte", models.F("points")),
                    ("expired__gte", 0),
                    ("expired__lte", models.F("points")),
                ),
                name="points_lot_ends_once",
            ),
        ),
        migrations.AddIndex(
            model_name="pointshold",
            index=models.Index(
                condition=models.Q(("state", "held")),
                fields=["tenant", "expires_at"],
                name="points_hold_runs_out",
            ),
        ),
        migrations.AddIndex(
            model_name="pointshold",
            index=models.Index(
                condition=models.Q(("state", "held")),
                fields=["customer"],
                name="points_hold_of_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="pointshold",
            constraint=models.UniqueConstraint(
                fields=("tenant", "transaction"), name="points_hold_of_tx"
            ),
        ),
        migrations.AddConstraint(
            model_name="pointshold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("points__gt", 0), ("posted__gte", 0), ("posted__lte", models.F("points"))
                ),
                name="points_hold_posts_what_it_holds",
            ),
        ),
        migrations.AddIndex(
            model_name="pointsentry",
            index=models.Index(fields=["transaction"], name="points_entry_of_tx"),
        ),
        migrations.AddIndex(
            model_name="pointsentry",
            index=models.Index(
                condition=models.Q(("customer__isnull", False)),
                fields=["customer", "id"],
                name="points_entry_of_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="pointsentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("points__gt", 0)), name="points_entry_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="pointsentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("account__in", ("pending", "available", "held", "owed")),
                        ("customer__isnull", False),
                    ),
                    models.Q(
                        models.Q(
                            ("account__in", ("pending", "available", "held", "owed")), _negated=True
                        ),
                        ("customer", None),
                    ),
                    _connector="OR",
                ),
                name="points_entry_whose",
            ),
        ),
        migrations.AddIndex(
            model_name="lotuse",
            index=models.Index(fields=["transaction"], name="lot_use_of_tx"),
        ),
        migrations.AddIndex(
            model_name="lotuse",
            index=models.Index(fields=["lot"], name="lot_use_of_lot"),
        ),
        migrations.AddConstraint(
            model_name="lotuse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("points__gt", 0), ("returned__gte", 0), ("returned__lte", models.F("points"))
                ),
                name="lot_use_returns_what_it_took",
            ),
        ),
        migrations.AddConstraint(
            model_name="earnedline",
            constraint=models.UniqueConstraint(
                fields=("tenant", "transaction", "ref"), name="earned_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="earnedline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refunded_paise__gte", 0),
                    ("refunded_paise__lte", models.F("net_paise")),
                    ("reversed_points__gte", 0),
                    ("reversed_points__lte", models.F("points")),
                ),
                name="earned_line_refunded_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="tier",
            constraint=models.UniqueConstraint(fields=("tenant", "level"), name="tier_level"),
        ),
        migrations.AddConstraint(
            model_name="tier",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="tier_name"),
        ),
        migrations.AddIndex(
            model_name="pointsaccount",
            index=models.Index(
                condition=models.Q(("tier_until__isnull", False)),
                fields=["tenant", "tier_until"],
                name="points_account_tier_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="pointsaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("available__gte", 0), ("held__gte", 0), ("owed__gte", 0), ("pending__gte", 0)
                ),
                name="points_account_not_below_zero",
            ),
        ),
        migrations.AddIndex(
            model_name="tierchange",
            index=models.Index(fields=["customer", "-at"], name="tier_change_of_customer"),
        ),
        migrations.AddConstraint(
            model_name="tierchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("before", models.F("after")), _negated=True),
                    ("before", None),
                    ("after", None),
                    _connector="OR",
                ),
                name="tier_change_changes",
            ),
        ),
        TenantPolicy("loyalty_balancesnapshot"),
        TenantPolicy("loyalty_earnrate"),
        TenantPolicy("loyalty_earnedline"),
        TenantPolicy("loyalty_ledgerproof"),
        TenantPolicy("loyalty_lotuse"),
        TenantPolicy("loyalty_loyaltyprogramme"),
        TenantPolicy("loyalty_pointsaccount"),
        TenantPolicy("loyalty_pointsentry"),
        TenantPolicy("loyalty_pointshold"),
        TenantPolicy("loyalty_pointslot"),
        TenantPolicy("loyalty_pointstransaction"),
        TenantPolicy("loyalty_tier"),
        TenantPolicy("loyalty_tierchange"),
        migrations.RunSQL(WALLS, UNDO),
    ]
