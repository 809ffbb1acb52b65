from django.db import migrations

from marketing.core.migration_operations import LockTimeout, SeldomAnalyzed


class Migration(migrations.Migration):
    dependencies = [("core", "0010_partitions_take_every_setting")]
    operations = [
        LockTimeout(),
        SeldomAnalyzed("core_auditentry"),
        SeldomAnalyzed("core_domainevent"),
    ]
