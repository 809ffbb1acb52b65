from decimal import Decimal

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import customers.models.scoring
import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import LockTimeout, TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0006_parents_of_append_tables"),
        ("customers", "0007_who_heard_a_whatsapp_id"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="customerfacts",
            name="due_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="rfm_frequency",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="rfm_group",
            field=models.CharField(
                choices=[
                    ("champions", "Champions"),
                    ("loyal", "Loyal customers"),
                    ("potential_loyalist", "Potential loyalists"),
                    ("recent", "Recent customers"),
                    ("promising", "Promising"),
                    ("needs_attention", "Needs attention"),
                    ("about_to_sleep", "About to sleep"),
                    ("at_risk", "At risk"),
                    ("cannot_lose", "Cannot lose them"),
                    ("hibernating", "Hibernating"),
                    ("lost", "Lost"),
                ],
                max_length=20,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="rfm_monetary",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="rfm_recency",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="scoring_version",
            field=models.PositiveIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="customerfacts",
            name="visits_365_days",
            field=models.PositiveIntegerField(db_default=0),
        ),
        migrations.CreateModel(
            name="CategoryRhythm",
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
                ("visits", models.PositiveIntegerField()),
                ("last_at", models.DateTimeField()),
                ("interval_days", models.FloatField(null=True)),
                ("due_on", models.DateField(null=True)),
                (
                    "category",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.servicecategory",
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
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("customer", "category"), name="category_rhythm")
                ],
            },
        ),
        migrations.CreateModel(
            name="ScoringConfig",
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
                    "new_days",
                    models.PositiveSmallIntegerField(
                        default=30, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "active_visits",
                    models.PositiveSmallIntegerField(
                        default=2, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "active_days",
                    models.PositiveSmallIntegerField(
                        default=90, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "engaged_visits",
                    models.PositiveSmallIntegerField(
                        default=5, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "engaged_days",
                    models.PositiveSmallIntegerField(
                        default=180, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "at_risk_days",
                    models.PositiveSmallIntegerField(
                        default=90, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "churned_days",
                    models.PositiveSmallIntegerField(
                        default=180, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "reactivated_days",
                    models.PositiveSmallIntegerField(
                        default=90, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "overdue_factor",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("1.5"),
                        max_digits=4,
                        validators=[django.core.validators.MinValueValidator(Decimal("1"))],
                    ),
                ),
                (
                    "rfm_mode",
                    models.CharField(
                        choices=[
                            ("fixed", "Fixed limits"),
                            ("quintile", "Fifths of your own customers"),
                        ],
                        default="fixed",
                        max_length=10,
                    ),
                ),
                (
                    "recency_limits",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(),
                        default=customers.models.scoring.recency_limits,
                        size=4,
                    ),
                ),
                (
                    "frequency_limits",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(),
                        default=customers.models.scoring.frequency_limits,
                        size=4,
                    ),
                ),
                (
                    "monetary_limits",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DecimalField(decimal_places=2, max_digits=12),
                        default=customers.models.scoring.monetary_limits,
                        size=4,
                    ),
                ),
                (
                    "recency_quintiles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(),
                        blank=True,
                        editable=False,
                        null=True,
                        size=None,
                    ),
                ),
                (
                    "frequency_quintiles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(),
                        blank=True,
                        editable=False,
                        null=True,
                        size=None,
                    ),
                ),
                (
                    "monetary_quintiles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DecimalField(decimal_places=2, max_digits=12),
                        blank=True,
                        editable=False,
                        null=True,
                        size=None,
                    ),
                ),
                ("quintiles_at", models.DateTimeField(editable=False, null=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
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
                    models.UniqueConstraint(fields=("tenant",), name="one_scoring_per_tenant")
                ],
            },
        ),
        TenantPolicy("customers_categoryrhythm"),
        TenantPolicy("customers_scoringconfig"),
    ]
