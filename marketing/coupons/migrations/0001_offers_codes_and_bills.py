import django.core.serializers.json
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy

# Whatever changes an offer, or what generated codes look like, moves the chain's mark.
MOVE_MARK = """
CREATE FUNCTION coupons_move_mark() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE chain uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.tenant_id ELSE NEW.tenant_id END;
BEGIN
    INSERT INTO coupons_cataloguemark AS mark (tenant_id, number, token)
    VALUES (chain, 1, gen_random_uuid())
    ON CONFLICT (tenant_id) DO UPDATE SET number = mark.number + 1, token = gen_random_uuid();
    RETURN NULL;
END $$;
CREATE TRIGGER coupons_offer_moves_mark AFTER INSERT OR UPDATE OR DELETE ON coupons_offer
    FOR EACH ROW EXECUTE FUNCTION coupons_move_mark();
CREATE TRIGGER coupons_revision_moves_mark AFTER INSERT OR UPDATE OR DELETE
    ON coupons_offerrevision FOR EACH ROW EXECUTE FUNCTION coupons_move_mark();
CREATE TRIGGER coupons_batch_moves_mark
    AFTER INSERT OR DELETE OR UPDATE OF prefix, symbols ON coupons_codebatch
    FOR EACH ROW EXECUTE FUNCTION coupons_move_mark();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0008_notifications_and_delegations"),
        ("customers", "0021_visits_by_staff"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CodeBatch",
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
                ("name", models.CharField(blank=True, max_length=100)),
                ("prefix", models.CharField(blank=True, max_length=20)),
                ("symbols", models.PositiveSmallIntegerField(default=8)),
                ("count", models.PositiveIntegerField()),
                ("made", models.PositiveIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("making", "Being made"),
                            ("done", "Done"),
                            ("revoked", "Revoked"),
                        ],
                        default="making",
                        max_length=10,
                    ),
                ),
                ("max_uses", models.PositiveIntegerField(default=1, null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("campaign_id", models.UUIDField(null=True)),
                ("run_id", models.UUIDField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
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
            name="Offer",
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
                ("name", models.CharField(max_length=100)),
                ("description", models.TextField(blank=True)),
                ("code", models.CharField(blank=True, max_length=50)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("percentage", "Percentage"),
                            ("flat", "Amount off"),
                            ("free_service", "Free service"),
                            ("fixed_price", "New price"),
                            ("buy_x_get_y", "Buy some, get some"),
                            ("bundle", "Bundle"),
                            ("spend_tiers", "Spend tiers"),
                        ],
                        max_length=20,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("is_automatic", models.BooleanField(default=False)),
                ("valid_from", models.DateField(null=True)),
                ("valid_until", models.DateField(null=True)),
                ("priority", models.IntegerField(default=0)),
                ("max_total_uses", models.PositiveIntegerField(null=True)),
                ("max_uses_per_customer", models.PositiveIntegerField(null=True)),
                ("max_uses_per_branch", models.PositiveIntegerField(null=True)),
                ("max_uses_per_period", models.PositiveIntegerField(null=True)),
                (
                    "use_period",
                    models.CharField(
                        choices=[
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("year", "Year"),
                        ],
                        default="month",
                        max_length=5,
                    ),
                ),
                ("budget", models.BigIntegerField(null=True)),
                ("reusable_after_cancel", models.BooleanField(default=True)),
                ("campaign_id", models.UUIDField(null=True)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("version", models.PositiveIntegerField(default=1)),
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
            name="CustomerUse",
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
                ("period_start", models.DateField()),
                ("n", models.PositiveIntegerField()),
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
                    "offer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.offer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CouponCode",
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
                ("code", models.CharField(max_length=50)),
                ("key", models.CharField(max_length=50)),
                ("max_uses", models.PositiveIntegerField(null=True)),
                ("used", models.PositiveIntegerField(db_default=0)),
                ("reserved", models.PositiveIntegerField(db_default=0)),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("campaign_id", models.UUIDField(null=True)),
                ("run_id", models.UUIDField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.codebatch",
                    ),
                ),
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
                    "offer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.offer",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="codebatch",
            name="offer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="coupons.offer",
            ),
        ),
        migrations.CreateModel(
            name="OfferRevision",
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
                ("revision", models.PositiveIntegerField()),
                ("body", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ("terms", models.JSONField()),
                ("since", models.PositiveBigIntegerField()),
                (
                    "made_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "offer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="coupons.offer",
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
            name="OfferUse",
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
                ("used", models.PositiveIntegerField(db_default=0)),
                ("reserved", models.PositiveIntegerField(db_default=0)),
                ("spent", models.PositiveBigIntegerField(db_default=0)),
                ("held", models.PositiveBigIntegerField(db_default=0)),
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
                    "offer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.offer",
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
            name="Reservation",
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
                ("key", models.CharField(max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reserved", "Reserved"),
                            ("redeemed", "Redeemed"),
                            ("released", "Released"),
                            ("expired", "Expired"),
                        ],
                        default="reserved",
                        max_length=10,
                    ),
                ),
                ("quote_hash", models.CharField(max_length=64)),
                ("engine", models.CharField(max_length=10)),
                ("catalogue", models.PositiveBigIntegerField()),
                ("trace", models.BinaryField()),
                ("applied", models.JSONField()),
                ("sold", models.JSONField()),
                ("effects", models.JSONField(default=dict)),
                ("discount", models.BigIntegerField()),
                ("payable", models.BigIntegerField()),
                ("local_day", models.DateField()),
                ("reserved_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("invoice_id", models.CharField(blank=True, max_length=100)),
                ("redeemed_at", models.DateTimeField(null=True)),
                (
                    "branch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
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
            ],
        ),
        migrations.CreateModel(
            name="Redemption",
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
                ("invoice_id", models.CharField(max_length=100)),
                ("revision", models.PositiveIntegerField()),
                ("amount", models.BigIntegerField()),
                ("returned", models.BigIntegerField(db_default=0)),
                ("shares", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("redeemed", "Redeemed"),
                            ("part_reversed", "Reversed in part"),
                            ("reversed", "Reversed"),
                        ],
                        default="redeemed",
                        max_length=15,
                    ),
                ),
                ("counted", models.BooleanField(db_default=True)),
                ("local_day", models.DateField()),
                ("redeemed_at", models.DateTimeField()),
                (
                    "branch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="core.branch",
                    ),
                ),
                (
                    "code",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.couponcode",
                    ),
                ),
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
                    "offer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.offer",
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
                    "reservation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.reservation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Hold",
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
                ("revision", models.PositiveIntegerField()),
                ("amount", models.BigIntegerField()),
                ("shares", models.JSONField()),
                ("local_day", models.DateField()),
                (
                    "branch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="core.branch",
                    ),
                ),
                (
                    "code",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.couponcode",
                    ),
                ),
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
                    "offer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.offer",
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.reservation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reversal",
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
                ("operation", models.CharField(max_length=100)),
                ("asked", models.JSONField(null=True)),
                ("lines", models.JSONField()),
                ("given_back", models.JSONField()),
                ("amount", models.BigIntegerField()),
                ("effects", models.JSONField(default=dict)),
                (
                    "made_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="coupons.reservation",
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
                "verbose_name_plural": "reversals",
            },
        ),
        migrations.CreateModel(
            name="CatalogueMark",
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
                ("number", models.PositiveBigIntegerField()),
                ("token", models.UUIDField()),
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
                "constraints": [models.UniqueConstraint(fields=("tenant",), name="catalogue_mark")],
            },
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(fields=["tenant", "is_active", "-id"], name="offer_list"),
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(
                condition=models.Q(("campaign_id__isnull", False)),
                fields=["tenant", "campaign_id"],
                name="offer_by_campaign",
            ),
        ),
        migrations.AddConstraint(
            model_name="customeruse",
            constraint=models.UniqueConstraint(
                fields=("tenant", "customer", "offer", "period_start"), name="customer_use"
            ),
        ),
        migrations.AddIndex(
            model_name="couponcode",
            index=models.Index(fields=["offer", "id"], name="coupon_code_by_offer"),
        ),
        migrations.AddIndex(
            model_name="couponcode",
            index=models.Index(
                condition=models.Q(("customer__isnull", False)),
                fields=["customer", "-id"],
                name="coupon_code_by_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="couponcode",
            constraint=models.UniqueConstraint(fields=("tenant", "key"), name="coupon_code_key"),
        ),
        migrations.AddConstraint(
            model_name="couponcode",
            constraint=models.UniqueConstraint(
                condition=models.Q(("batch__isnull", False), ("customer__isnull", False)),
                fields=("tenant", "batch", "customer"),
                name="coupon_code_of_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="couponcode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_uses__isnull", True),
                    (
                        "max_uses__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("used"), "+", models.F("reserved")
                        ),
                    ),
                    _connector="OR",
                ),
                name="coupon_code_uses",
            ),
        ),
        migrations.AddIndex(
            model_name="codebatch",
            index=models.Index(fields=["offer", "-id"], name="code_batch_by_offer"),
        ),
        migrations.AddIndex(
            model_name="codebatch",
            index=models.Index(
                condition=models.Q(("state", "making")),
                fields=["tenant", "id"],
                name="code_batch_in_making",
            ),
        ),
        migrations.AddConstraint(
            model_name="codebatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("made__lte", models.F("count"))), name="code_batch_made"
            ),
        ),
        migrations.AddIndex(
            model_name="offerrevision",
            index=models.Index(fields=["tenant", "since"], name="offer_revision_since"),
        ),
        migrations.AddConstraint(
            model_name="offerrevision",
            constraint=models.UniqueConstraint(
                fields=("tenant", "offer", "revision"), name="offer_revision"
            ),
        ),
        migrations.AddConstraint(
            model_name="offeruse",
            constraint=models.UniqueConstraint(
                fields=("tenant", "offer", "branch"), name="offer_use", nulls_distinct=False
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("state", "reserved")),
                fields=["tenant", "expires_at"],
                name="reservation_due",
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("customer__isnull", False)),
                fields=["customer", "-id"],
                name="reservation_by_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "reserved")),
                fields=("tenant", "branch", "key"),
                name="reservation_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "redeemed")),
                fields=("tenant", "branch", "invoice_id"),
                name="reservation_invoice",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("redeemed_at__isnull", False), ("state", "redeemed")),
                    models.Q(models.Q(("state", "redeemed"), _negated=True), ("redeemed_at", None)),
                    _connector="OR",
                ),
                name="reservation_redeemed_at",
            ),
        ),
        migrations.AddIndex(
            model_name="redemption",
            index=models.Index(fields=["offer", "-id"], name="redemption_by_offer"),
        ),
        migrations.AddIndex(
            model_name="redemption",
            index=models.Index(fields=["reservation"], name="redemption_by_reservation"),
        ),
        migrations.AddIndex(
            model_name="redemption",
            index=models.Index(
                condition=models.Q(("customer__isnull", False)),
                fields=["customer", "offer"],
                name="redemption_by_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="redemption",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "reversed"), _negated=True),
                fields=("tenant", "branch", "invoice_id", "offer"),
                name="redemption_of_bill",
            ),
        ),
        migrations.AddConstraint(
            model_name="redemption",
            constraint=models.CheckConstraint(
                condition=models.Q(("returned__gte", 0), ("returned__lte", models.F("amount"))),
                name="redemption_returned",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["offer"], name="hold_by_offer"),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(
                fields=("tenant", "reservation", "offer"), name="hold"
            ),
        ),
        migrations.AddConstraint(
            model_name="reversal",
            constraint=models.UniqueConstraint(
                fields=("tenant", "reservation", "operation"), name="reversal_operation"
            ),
        ),
        TenantPolicy("coupons_offer"),
        TenantPolicy("coupons_offerrevision"),
        TenantPolicy("coupons_cataloguemark"),
        TenantPolicy("coupons_codebatch"),
        TenantPolicy("coupons_couponcode"),
        TenantPolicy("coupons_offeruse"),
        TenantPolicy("coupons_customeruse"),
        TenantPolicy("coupons_reservation"),
        TenantPolicy("coupons_hold"),
        TenantPolicy("coupons_redemption"),
        TenantPolicy("coupons_reversal"),
        migrations.RunSQL(
            sql=MOVE_MARK,
            reverse_sql="DROP FUNCTION coupons_move_mark() CASCADE",
        ),
    ]
