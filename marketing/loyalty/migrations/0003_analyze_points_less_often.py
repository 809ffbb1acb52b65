from django.db import migrations

from marketing.core.migration_operations import LockTimeout, SeldomAnalyzed


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0002_points_in_facts"),
        ("core", "0010_partitions_take_every_setting"),
    ]
    operations = [
        LockTimeout(),
        SeldomAnalyzed("loyalty_earnedline"),
        SeldomAnalyzed("loyalty_pointsentry"),
        SeldomAnalyzed("loyalty_pointshold"),
        SeldomAnalyzed("loyalty_pointslot"),
        SeldomAnalyzed("loyalty_pointstransaction"),
    ]
