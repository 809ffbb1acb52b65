from decimal import Decimal

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.serializers.json
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import CreatePartitionedModel, TenantPolicy


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0002_partition_functions"),
        ("core", "0002_partition_functions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("external_id", models.CharField(blank=True, max_length=100, null=True)),
                ("first_name", models.CharField(max_length=100)),
                ("last_name", models.CharField(blank=True, max_length=100)),
                ("phone", models.CharField(blank=True, max_length=20)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("whatsapp_id", models.CharField(blank=True, max_length=140)),
                ("birth_date", models.DateField(blank=True, null=True)),
                ("anniversary", models.DateField(blank=True, null=True)),
                (
                    "gender",
                    models.CharField(
                        blank=True,
                        choices=[("female", "Female"), ("male", "Male"), ("other", "Other")],
                        max_length=10,
                    ),
                ),
                ("language", models.CharField(default="en", max_length=10)),
                ("preferred_channel", models.CharField(default="whatsapp", max_length=20)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "attributes",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                    ),
                ),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("source", models.CharField(default="staff", max_length=30)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("merged", "Merged into another"),
                            ("erased", "Erased"),
                        ],
                        default="active",
                        max_length=10,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "home_branch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customers",
                        to="core.branch",
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
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
        ),
        migrations.CreateModel(
            name="ContactPoint",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("phone", "Phone"),
                            ("email", "E-mail"),
                            ("whatsapp", "WhatsApp user id"),
                            ("push", "Push token"),
                        ],
                        max_length=10,
                    ),
                ),
                ("value", models.CharField(max_length=254)),
                ("is_primary", models.BooleanField(default=False)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
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
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_points",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ConsentState",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("whatsapp_promotional", models.BooleanField(default=False)),
                ("whatsapp_service", models.BooleanField(default=False)),
                ("whatsapp_basis", models.CharField(blank=True, max_length=10)),
                ("sms_promotional", models.BooleanField(default=False)),
                ("sms_service", models.BooleanField(default=False)),
                ("sms_basis", models.CharField(blank=True, max_length=10)),
                ("email_promotional", models.BooleanField(default=False)),
                ("email_service", models.BooleanField(default=False)),
                ("email_basis", models.CharField(blank=True, max_length=10)),
                ("is_dnd", models.BooleanField(default=False)),
                ("marketing_opted_out", models.BooleanField(default=False)),
                ("opted_out_at", models.DateTimeField(blank=True, null=True)),
                ("opt_out_source", models.CharField(blank=True, max_length=50)),
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
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consent",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", "E-mail")],
                        max_length=20,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("promotional", "Promotional"),
                            ("service", "Service"),
                            ("transactional", "Transactional"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("granted", "Granted"),
                            ("withdrawn", "Withdrawn"),
                            ("dnd_set", "On the do-not-disturb register"),
                            ("dnd_cleared", "Off the do-not-disturb register"),
                            ("opted_out", "Opted out of all marketing"),
                            ("opted_in", "Came back after opting out"),
                        ],
                        max_length=20,
                    ),
                ),
                ("basis", models.CharField(blank=True, max_length=10)),
                ("source", models.CharField(max_length=50)),
                ("wording_version", models.CharField(blank=True, max_length=50)),
                ("language", models.CharField(blank=True, max_length=10)),
                ("reason", models.TextField(blank=True)),
                ("ip_address", models.GenericIPAddressField(null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
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
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_records",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        CreatePartitionedModel(
            name="CustomerEvent",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "properties",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
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
            name="CustomerEventKey",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("external_id", models.CharField(max_length=100)),
                ("event_id", models.UUIDField()),
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
            name="CustomerNote",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("text", models.TextField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.staff",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
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
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("external_id", models.CharField(blank=True, max_length=100)),
                ("plan", models.CharField(max_length=100)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("expires_on", models.DateField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
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
        ),
        migrations.CreateModel(
            name="Package",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("external_id", models.CharField(blank=True, max_length=100)),
                ("name", models.CharField(max_length=100)),
                ("sessions_total", models.PositiveSmallIntegerField()),
                ("sessions_used", models.PositiveSmallIntegerField(default=0)),
                ("is_cancelled", models.BooleanField(default=False)),
                ("starts_on", models.DateField()),
                ("expires_on", models.DateField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="packages",
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
        ),
        migrations.CreateModel(
            name="Purchase",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("external_id", models.CharField(blank=True, max_length=100)),
                ("invoice_number", models.CharField(blank=True, max_length=50)),
                ("subtotal", models.DecimalField(decimal_places=2, max_digits=12)),
                (
                    "discount",
                    models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=12),
                ),
                ("tax", models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=12)),
                ("total", models.DecimalField(decimal_places=2, max_digits=12)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("finalised", "Finalised"),
                            ("refunded", "Refunded"),
                            ("void", "Void"),
                        ],
                        default="finalised",
                        max_length=10,
                    ),
                ),
                ("purchased_at", models.DateTimeField()),
                (
                    "branch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.branch",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchases",
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
        ),
        migrations.CreateModel(
            name="Service",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("external_id", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=100)),
                ("price", models.DecimalField(decimal_places=2, max_digits=10)),
                ("duration_minutes", models.PositiveSmallIntegerField(default=30)),
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
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="CustomerFacts",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("visit_count", models.PositiveIntegerField(default=0)),
                ("first_visit_at", models.DateTimeField(null=True)),
                ("last_visit_at", models.DateTimeField(null=True)),
                ("visit_interval_days", models.FloatField(null=True)),
                (
                    "total_spend",
                    models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=12),
                ),
                (
                    "spend_90_days",
                    models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=12),
                ),
                (
                    "spend_365_days",
                    models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=12),
                ),
                ("average_ticket", models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ("membership_status", models.CharField(default="none", max_length=10)),
                ("membership_expires_on", models.DateField(null=True)),
                ("has_active_membership", models.BooleanField(default=False)),
                ("has_active_package", models.BooleanField(default=False)),
                ("package_sessions_left", models.PositiveIntegerField(default=0)),
                ("package_expires_on", models.DateField(null=True)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("prospect", "Never visited"),
                            ("new", "New"),
                            ("active", "Active"),
                            ("engaged", "Engaged"),
                            ("at_risk", "At risk"),
                            ("churned", "Churned"),
                            ("reactivated", "Reactivated"),
                        ],
                        default="prospect",
                        max_length=15,
                    ),
                ),
                (
                    "computed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="facts",
                        to="customers.customer",
                    ),
                ),
                (
                    "favourite_branch",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.branch",
                    ),
                ),
                (
                    "favourite_staff",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
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
                (
                    "favourite_service",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="customers.service",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "customer facts",
            },
        ),
        migrations.CreateModel(
            name="ServiceCategory",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("external_id", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=100)),
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
                "verbose_name_plural": "service categories",
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="service",
            name="category",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="services",
                to="customers.servicecategory",
            ),
        ),
        migrations.CreateModel(
            name="PurchaseLine",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("quantity", models.PositiveSmallIntegerField(default=1)),
                ("unit_price", models.DecimalField(decimal_places=2, max_digits=10)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                (
                    "purchase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="customers.purchase",
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        null=True,
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
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.service",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.servicecategory",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StaleFacts",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("customer_id", models.UUIDField()),
                (
                    "marked_at",
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
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", "E-mail")],
                        max_length=20,
                    ),
                ),
                ("address_hash", models.BinaryField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("hard_bounce", "Hard bounce"),
                            ("complaint", "Complaint"),
                            ("invalid", "Invalid address"),
                            ("opted_out", "Opted out at the provider"),
                        ],
                        max_length=20,
                    ),
                ),
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
            name="Visit",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("external_id", models.CharField(blank=True, max_length=100)),
                ("visited_at", models.DateTimeField()),
                (
                    "branch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.branch",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visits",
                        to="customers.customer",
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        null=True,
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
        migrations.AddField(
            model_name="purchase",
            name="visit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="purchases",
                to="customers.visit",
            ),
        ),
        migrations.CreateModel(
            name="AttributeDefinition",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("key", models.SlugField()),
                ("label", models.CharField(max_length=100)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("boolean", "Yes or no"),
                            ("date", "Date"),
                            ("choice", "One of a list"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        size=None,
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
                "ordering": ["label"],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "key"), name="attribute_key")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["tenant", "phone"], name="customer_phone"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["tenant", "email"], name="customer_email"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["tenant", "home_branch"], name="customer_branch"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="customer_tags"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Lower(
                        django.db.models.functions.text.Concat(
                            "first_name", models.Value(" "), "last_name"
                        )
                    ),
                    "gin_trgm_ops",
                ),
                name="customer_name_trigrams",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("phone", "gin_trgm_ops"),
                name="customer_phone_trigrams",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id__isnull", False)),
                fields=("tenant", "external_id"),
                name="customer_external_id",
            ),
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(fields=["tenant", "kind", "value"], name="contact_point_value"),
        ),
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.UniqueConstraint(
                fields=("tenant", "customer", "kind", "value"), name="contact_point"
            ),
        ),
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_primary", True)),
                fields=("tenant", "customer", "kind"),
                name="primary_contact_point",
            ),
        ),
        migrations.AddIndex(
            model_name="consentrecord",
            index=models.Index(fields=["customer", "-id"], name="consent_record_by_customer"),
        ),
        migrations.AddIndex(
            model_name="customerevent",
            index=models.Index(
                fields=["customer", "name", "-occurred_at"], name="event_by_customer"
            ),
        ),
        migrations.AddConstraint(
            model_name="customereventkey",
            constraint=models.UniqueConstraint(
                fields=("tenant", "external_id"), name="customer_event_key"
            ),
        ),
        migrations.AddIndex(
            model_name="customernote",
            index=models.Index(fields=["customer", "-id"], name="customer_note"),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["customer", "-expires_on"], name="membership_by_customer"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("tenant", "external_id"),
                name="membership_external_id",
            ),
        ),
        migrations.AddIndex(
            model_name="package",
            index=models.Index(fields=["customer", "-expires_on"], name="package_by_customer"),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("tenant", "external_id"),
                name="package_external_id",
            ),
        ),
        migrations.AddIndex(
            model_name="customerfacts",
            index=models.Index(fields=["tenant", "last_visit_at"], name="facts_last_visit"),
        ),
        migrations.AddIndex(
            model_name="customerfacts",
            index=models.Index(fields=["tenant", "total_spend"], name="facts_total_spend"),
        ),
        migrations.AddConstraint(
            model_name="servicecategory",
            constraint=models.UniqueConstraint(
                fields=("tenant", "external_id"), name="service_category_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.UniqueConstraint(
                fields=("tenant", "external_id"), name="service_key"
            ),
        ),
        migrations.AddIndex(
            model_name="purchaseline",
            index=models.Index(fields=["purchase"], name="purchase_line"),
        ),
        migrations.AddConstraint(
            model_name="suppression",
            constraint=models.UniqueConstraint(
                fields=("tenant", "channel", "address_hash"), name="suppressed_address"
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(fields=["customer", "-visited_at"], name="visit_by_customer"),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("tenant", "external_id"),
                name="visit_external_id",
            ),
        ),
        migrations.AddIndex(
            model_name="purchase",
            index=models.Index(fields=["customer", "-purchased_at"], name="purchase_by_customer"),
        ),
        migrations.AddConstraint(
            model_name="purchase",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("tenant", "external_id"),
                name="purchase_external_id",
            ),
        ),
        TenantPolicy("customers_servicecategory"),
        TenantPolicy("customers_service"),
        TenantPolicy("customers_customer"),
        TenantPolicy("customers_contactpoint"),
        TenantPolicy("customers_attributedefinition"),
        TenantPolicy("customers_customernote"),
        TenantPolicy("customers_visit"),
        TenantPolicy("customers_purchase"),
        TenantPolicy("customers_purchaseline"),
        TenantPolicy("customers_membership"),
        TenantPolicy("customers_package"),
        TenantPolicy("customers_customerevent"),
        TenantPolicy("customers_customereventkey"),
        TenantPolicy("customers_consentstate"),
        TenantPolicy("customers_consentrecord"),
        TenantPolicy("customers_suppression"),
        TenantPolicy("customers_customerfacts"),
        TenantPolicy("customers_stalefacts"),
    ]
