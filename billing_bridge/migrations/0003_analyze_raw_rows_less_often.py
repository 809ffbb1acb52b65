from django.db import migrations

from marketing.core.migration_operations import LockTimeout, SeldomAnalyzed


class Migration(migrations.Migration):
    dependencies = [
        ("billing_bridge", "0002_where_rows_came_from"),
        ("core", "0010_partitions_take_every_setting"),
    ]
    operations = [
        LockTimeout(),
        SeldomAnalyzed("billing_bridge_rawrow"),
        SeldomAnalyzed("billing_bridge_rawperson"),
    ]
