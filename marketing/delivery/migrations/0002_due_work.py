from django.db import migrations

DUE_WORK = """
-- Which tenants have webhooks to apply: the application's role sees one tenant at a time.
CREATE FUNCTION due_work() RETURNS TABLE (tenant uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT tenant_id FROM delivery_webhookevent
    WHERE applied_at IS NULL AND next_at <= now()
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial")]
    operations = [migrations.RunSQL(DUE_WORK, "DROP FUNCTION due_work")]
