from django.db import migrations

# The setting is read once for a statement, not for each row that it reads or returns.
READ = "nullif(current_setting('app.tenant_id', true), '')::uuid"


class Migration(migrations.Migration):
    dependencies = [("delivery", "0012_tenant_checked_once")]
    operations = [
        migrations.RunSQL(
            f"ALTER POLICY tenant ON delivery_message USING (tenant_id = (SELECT {READ}))",
            f"ALTER POLICY tenant ON delivery_message USING (tenant_id = {READ})",
        )
    ]
