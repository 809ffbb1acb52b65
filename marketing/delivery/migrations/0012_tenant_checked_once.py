from django.db import migrations

from marketing.core.migration_operations import LockTimeout

# The setting is read once for a statement, not for each of the million rows that it writes.
ONCE = """
ALTER POLICY tenant ON delivery_message
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
"""
FOR_EACH_ROW = """
ALTER POLICY tenant ON delivery_message
WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0011_written_by_the_thousand")]
    operations = [LockTimeout(), migrations.RunSQL(ONCE, FOR_EACH_ROW)]
