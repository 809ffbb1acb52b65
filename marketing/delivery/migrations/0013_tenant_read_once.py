from django.db import migrations

from marketing.core.migration_operations import LockTimeout

# The setting is read once for a statement, not for each row that it reads or returns.
READ = "nullif(current_setting('app.tenant_id', true), '')::uuid"


class Migration(migrations.Migration):
    dependencies = [("delivery", "0012_tenant_checked_once")]
    operations = [
        LockTimeout(),
        migrations.RunSQL(
            f"ALTER POLICY tenant ON delivery_message USING (tenant_id = (SELECT {READ}))",
            f"ALTER POLICY tenant ON delivery_message USING (tenant_id = {READ})",
        ),
    ]
