import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0009_tills_of_keys"),
        ("coupons", "0006_since_when_a_bill_is_held"),
        ("loyalty", "0003_analyze_points_less_often"),
    ]

    operations = [
        migrations.AddField(
            model_name="loyaltyprogramme",
            name="birthday_offer",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="coupons.offer",
            ),
        ),
        migrations.AddField(
            model_name="loyaltyprogramme",
            name="birthday_offer_days",
            field=models.PositiveSmallIntegerField(
                db_default=14,
                default=14,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(365),
                ],
            ),
        ),
        migrations.CreateModel(
            name="BirthdayBatch",
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
                ("until", models.DateField()),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="birthdays",
                        to="coupons.codebatch",
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
                "verbose_name_plural": "birthday batches",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "batch"), name="birthday_batch")
                ],
            },
        ),
        TenantPolicy("loyalty_birthdaybatch"),
    ]
