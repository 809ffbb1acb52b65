"""Whoever used an offer is marked: her facts hold a copy from now on."""

from django.db import migrations

MARK = """
INSERT INTO customers_stalefacts (tenant_id, customer_id)
SELECT DISTINCT tenant_id, customer_id FROM coupons_redemption
WHERE customer_id IS NOT NULL AND state <> 'reversed'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0025_what_others_keep_in_facts"),
        ("coupons", "0003_revoked_batches"),
    ]

    operations = [migrations.RunSQL(MARK, migrations.RunSQL.noop)]
