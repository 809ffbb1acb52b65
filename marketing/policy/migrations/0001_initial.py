import datetime
from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
import marketing.policy.crypto
import marketing.policy.models.config
from marketing.core.migration_operations import TenantPolicy


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0002_partition_functions"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookAddress",
            fields=[
                ("token", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("account_id", models.UUIDField(unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="BranchMarketingConfig",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("marketing_enabled", models.BooleanField(default=True)),
                (
                    "monthly_budget_limit",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=10,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "branch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="marketing_config",
                        to="core.branch",
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
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="HoldoutMember",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("since", models.DateTimeField(auto_now_add=True)),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holdout",
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
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BudgetMonth",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("month", models.DateField()),
                (
                    "reserved",
                    models.DecimalField(decimal_places=4, default=Decimal("0"), max_digits=14),
                ),
                (
                    "spent",
                    models.DecimalField(decimal_places=4, default=Decimal("0"), max_digits=14),
                ),
                ("alerted_at", models.DateTimeField(null=True)),
                (
                    "branch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.branch",
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
                        fields=("tenant", "branch", "month"),
                        name="budget_month",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reserved__gte", 0), ("spent__gte", 0)),
                        name="budget_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MarketingConfig",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("marketing_enabled", models.BooleanField(default=True)),
                ("whatsapp_enabled", models.BooleanField(default=True)),
                ("sms_enabled", models.BooleanField(default=True)),
                ("email_enabled", models.BooleanField(default=False)),
                ("sms_fallback_enabled", models.BooleanField(default=True)),
                ("send_window_start", models.TimeField(default=datetime.time(9, 0))),
                ("send_window_end", models.TimeField(default=datetime.time(21, 0))),
                ("daily_message_limit_per_customer", models.PositiveSmallIntegerField(default=2)),
                ("weekly_message_limit_per_customer", models.PositiveSmallIntegerField(default=5)),
                (
                    "monthly_budget_limit",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=10,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "budget_alert_threshold_percent",
                    models.PositiveSmallIntegerField(
                        default=80, validators=[django.core.validators.MaxValueValidator(100)]
                    ),
                ),
                ("campaign_approval_required", models.BooleanField(default=True)),
                (
                    "campaign_approval_threshold_recipients",
                    models.PositiveIntegerField(default=100),
                ),
                (
                    "approval_threshold_cost",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=10,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "approval_threshold_discount_percent",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(100)],
                    ),
                ),
                (
                    "assumed_consent",
                    models.JSONField(default=marketing.policy.models.config.all_channels),
                ),
                ("stale_schedule_minutes", models.PositiveIntegerField(default=60)),
                (
                    "message_retention_months",
                    models.PositiveSmallIntegerField(
                        default=24, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant",), name="one_config_per_tenant")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "channel",
                    models.CharField(
                        choices=[("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", "E-mail")],
                        max_length=20,
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[
                            ("meta", "Meta WhatsApp Cloud API"),
                            ("msg91", "MSG91"),
                            ("sendgrid", "SendGrid"),
                        ],
                        max_length=20,
                    ),
                ),
                ("base_url", models.URLField(max_length=255)),
                ("credentials", marketing.policy.crypto.EncryptedJSONField(default=dict)),
                ("sender", models.JSONField(default=dict)),
                (
                    "rate_per_second",
                    models.PositiveIntegerField(
                        default=10, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "max_concurrency",
                    models.PositiveSmallIntegerField(
                        default=50, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                ("is_default", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("circuit_reason", models.CharField(blank=True, max_length=255)),
                ("circuit_opened_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "name"), name="account_name"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("tenant", "channel"),
                        name="one_default_account_per_channel",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RateCard",
            fields=[
                (
                    "id",
                    marketing.core.ids.DatabaseIdField(serialize=False),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[
                            ("meta", "Meta WhatsApp Cloud API"),
                            ("msg91", "MSG91"),
                            ("sendgrid", "SendGrid"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("whatsapp", "WhatsApp"), ("sms", "SMS"), ("email", "E-mail")],
                        max_length=20,
                    ),
                ),
                ("country", models.CharField(default="IN", max_length=2)),
                ("category", models.CharField(max_length=20)),
                ("currency", models.CharField(default="INR", max_length=3)),
                ("amount", models.DecimalField(decimal_places=4, max_digits=10)),
                ("effective_from", models.DateField()),
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
                        fields=(
                            "tenant",
                            "provider",
                            "channel",
                            "country",
                            "category",
                            "effective_from",
                        ),
                        name="rate_card",
                    )
                ],
            },
        ),
        TenantPolicy("policy_provideraccount"),
        TenantPolicy("policy_ratecard"),
        TenantPolicy("policy_budgetmonth"),
        TenantPolicy("policy_marketingconfig"),
        TenantPolicy("policy_branchmarketingconfig"),
        TenantPolicy("policy_holdoutmember"),
    ]
