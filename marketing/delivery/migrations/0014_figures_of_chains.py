from django.db import migrations

# `tenant` NULL means every chain: the application's role sees the rows of one at a time. Nothing
# of a person, of a message's text or of an account's secrets is told.
FUNCTIONS = """
CREATE FUNCTION accounts_of_chains()
RETURNS TABLE (tenant_id uuid, id uuid, name text, provider text, channel text, circuit_reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.tenant_id, a.id, a.name, a.provider, a.channel, a.circuit_reason
    FROM policy_provideraccount a ORDER BY a.channel, a.is_default DESC, a.name
$$;

CREATE FUNCTION webhook_backlogs(tenant uuid)
RETURNS TABLE (tenant_id uuid, waiting bigint, since timestamptz, failing bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.tenant_id, count(*), min(e.received_at), count(*) FILTER (WHERE e.error <> '')
    FROM delivery_webhookevent e
    WHERE e.applied_at IS NULL
      AND (webhook_backlogs.tenant IS NULL OR e.tenant_id = webhook_backlogs.tenant)
    GROUP BY e.tenant_id
$$;

CREATE FUNCTION frequent_faults(since timestamptz, most integer, tenant uuid)
RETURNS TABLE (account_id uuid, state text, code text, messages bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT v.account_id, v.state, v.code, v.messages FROM (
        SELECT b.account_id, r.state, r.code, sum(r.count) AS messages,
               row_number() OVER (PARTITION BY b.account_id ORDER BY sum(r.count) DESC) AS place
        FROM delivery_sendrun s
        JOIN delivery_batchreason r ON r.run_id = s.id AND r.state IN ('failed', 'unknown')
        JOIN delivery_dispatchbatch b ON b.id = r.batch_id
        WHERE s.created_at >= since AND r.count > 0
          AND (frequent_faults.tenant IS NULL OR s.tenant_id = frequent_faults.tenant)
        GROUP BY b.account_id, r.state, r.code
    ) v WHERE v.place <= most ORDER BY v.account_id, v.messages DESC
$$;
"""
DROPPED = """
DROP FUNCTION accounts_of_chains; DROP FUNCTION webhook_backlogs; DROP FUNCTION frequent_faults
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0013_tenant_read_once"), ("policy", "0007_exchange_rates")]
    operations = [migrations.RunSQL(FUNCTIONS, DROPPED)]
