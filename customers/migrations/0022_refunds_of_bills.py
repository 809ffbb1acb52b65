from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models

import marketing.core.ids
import marketing.core.tenancy
from marketing.core.migration_operations import LockTimeout, TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0008_notifications_and_delegations"),
        ("customers", "0021_visits_by_staff"),
    ]

    operations = [
        LockTimeout(),
        migrations.CreateModel(
            name="PurchaseRefund",
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
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("lines", models.JSONField()),
                ("refunded_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="purchase",
            name="payments",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="purchase",
            name="refunded",
            field=models.DecimalField(
                db_default=Decimal("0"), decimal_places=2, default=Decimal("0"), max_digits=12
            ),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="discount",
            field=models.DecimalField(
                db_default=Decimal("0"), decimal_places=2, default=Decimal("0"), max_digits=12
            ),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="number",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="refunded_quantity",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="purchaseline",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded_quantity__lte", models.F("quantity"))),
                name="purchase_line_refunded",
            ),
        ),
        migrations.AddField(
            model_name="purchaserefund",
            name="purchase",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="refunds",
                to="customers.purchase",
            ),
        ),
        migrations.AddField(
            model_name="purchaserefund",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                default=marketing.core.tenancy.open_tenant_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="core.tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="purchaserefund",
            constraint=models.UniqueConstraint(
                fields=("tenant", "purchase", "operation"), name="purchase_refund_operation"
            ),
        ),
        TenantPolicy("customers_purchaserefund"),
    ]
