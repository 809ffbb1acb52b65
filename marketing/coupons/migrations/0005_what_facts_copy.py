"""Whoever used an offer is marked: her facts hold a copy from now on. Codes follow by batches."""

from django.db import migrations, models
from django.db.models import Q

from marketing.core.migration_operations import LockTimeout

MARK = """
INSERT INTO customers_stalefacts (tenant_id, customer_id)
SELECT DISTINCT tenant_id, customer_id FROM coupons_redemption
WHERE customer_id IS NOT NULL AND state <> 'reversed'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0026_what_others_keep_in_facts"),
        ("coupons", "0004_prices_with_or_without_tax"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="codebatch",
            name="is_copied",
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddField(
            model_name="codebatch",
            name="copied_to",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="codebatch",
            index=models.Index(
                condition=Q(("is_copied", False)),
                fields=["tenant", "id"],
                name="code_batch_to_copy",
            ),
        ),
        migrations.AddConstraint(
            model_name="couponcode",
            constraint=models.CheckConstraint(
                condition=Q(("customer__isnull", True), ("batch__isnull", False), _connector="OR"),
                name="coupon_code_given_by_batch",
            ),
        ),
        migrations.RunSQL(MARK, migrations.RunSQL.noop),
    ]
