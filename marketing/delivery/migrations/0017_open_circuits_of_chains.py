from django.db import migrations

# `has_open_circuit` instead of its reason: what a vendor said to one chain is nobody else's.
ACCOUNTS = """
DROP FUNCTION accounts_of_chains();
CREATE FUNCTION accounts_of_chains()
RETURNS TABLE (tenant_id uuid, id uuid, name text, provider text, channel text, {column})
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.tenant_id, a.id, a.name, a.provider, a.channel, {value}
    FROM policy_provideraccount a ORDER BY a.channel, a.is_default DESC, a.name
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0016_found_by_their_ids")]
    operations = [
        migrations.RunSQL(
            ACCOUNTS.format(column="has_open_circuit boolean", value="a.circuit_reason <> ''"),
            ACCOUNTS.format(column="circuit_reason text", value="a.circuit_reason"),
        )
    ]
