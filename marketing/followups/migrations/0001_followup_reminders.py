import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0007_keys_named_beside_the_columns"),
        ("customers", "0020_rows_beside_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="FollowupReminder",
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
                ("reminder_date", models.DateField()),
                ("reminder_time", models.TimeField(null=True)),
                ("note", models.TextField(blank=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "To do"),
                            ("completed", "Done"),
                            ("dismissed", "Dismissed"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reached", "Got through"),
                            ("booked", "Booked"),
                            ("no_answer", "No answer"),
                            ("not_interested", "Not interested"),
                            ("wrong_number", "Wrong number"),
                        ],
                        max_length=20,
                    ),
                ),
                ("completed_at", models.DateTimeField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "branch",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.branch",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.staff",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followups",
                        to="customers.customer",
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        db_index=False,
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
            options={
                "indexes": [
                    models.Index(
                        fields=["staff", "status", "reminder_date"], name="followup_by_staff"
                    ),
                    models.Index(
                        fields=["branch", "status", "reminder_date"], name="followup_by_branch"
                    ),
                    models.Index(fields=["customer", "-id"], name="followup_by_customer"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("completed_at", None), ("status", "pending")),
                            models.Q(
                                models.Q(("status", "pending"), _negated=True),
                                ("completed_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="followup_open_or_closed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome", ""), ("status", "completed"), _connector="OR"
                        ),
                        name="followup_outcome_of_completed",
                    ),
                ],
            },
        ),
        TenantPolicy("followups_followupreminder"),
    ]
