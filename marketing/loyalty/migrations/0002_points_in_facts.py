"""Whoever has points is marked: her facts hold a copy from now on."""

from django.db import migrations

MARK = """
INSERT INTO customers_stalefacts (tenant_id, customer_id)
SELECT tenant_id, customer_id FROM loyalty_pointsaccount ORDER BY id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0026_what_others_keep_in_facts"),
        ("loyalty", "0001_points_ledger"),
    ]

    operations = [migrations.RunSQL(MARK, migrations.RunSQL.noop)]
