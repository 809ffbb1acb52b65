from django.db import migrations

FUNCTIONS = """
-- Which tenants have webhooks to apply: the application's role sees one tenant at a time.
CREATE FUNCTION due_work() RETURNS TABLE (tenant uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT tenant_id FROM delivery_webhookevent
    WHERE applied_at IS NULL AND next_at <= now()
$$;

-- The order in which a message's states may follow one another: marketing.delivery.rules.RANK.
CREATE FUNCTION delivery_rank(state text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE state
    WHEN 'queued' THEN 0 WHEN 'held' THEN 0 WHEN 'sending' THEN 1 WHEN 'unknown' THEN 2
    WHEN 'sent' THEN 3 WHEN 'failed' THEN 4 WHEN 'delivered' THEN 5 WHEN 'read' THEN 6
    WHEN 'skipped' THEN 7 END;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial")]
    operations = [
        migrations.RunSQL(FUNCTIONS, "DROP FUNCTION delivery_rank; DROP FUNCTION due_work")
    ]
