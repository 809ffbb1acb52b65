from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION uuid_bound(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

-- Made by LIKE + CHECK + ATTACH, so that the parent is locked for a moment only.
CREATE FUNCTION ensure_partitions(parent text, since date, until date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    month date := date_trunc('month', since);
    child text;
    first_id uuid;
    next_id uuid;
    made integer := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(parent)) THEN
        RAISE EXCEPTION '% is not an append table', parent;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions:' || parent));
    WHILE month <= until LOOP
        child := parent || '_' || to_char(month, 'YYYYMM');
        IF to_regclass(child) IS NULL THEN
            first_id := uuid_bound(month::timestamp AT TIME ZONE 'UTC');
            next_id := uuid_bound((month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                           child, parent);
            EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (id >= %L AND id < %L)',
                           child, first_id, next_id);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           parent, child, first_id, next_id);
            EXECUTE format('ALTER TABLE %I DROP CONSTRAINT bounds', child);
            EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, parlour_app', child);
            made := made + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION default_has_rows(parent text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    answer boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', parent || '_default') INTO answer;
    RETURN answer;
END $$;

CREATE FUNCTION parlour_address_hash(tenant uuid, address text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(convert_to(tenant::text || ':' || address, 'UTF8'));
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [
        migrations.RunSQL(
            FUNCTIONS,
            """
            DROP FUNCTION parlour_address_hash; DROP FUNCTION default_has_rows;
            DROP FUNCTION ensure_partitions; DROP FUNCTION uuid_bound;
            """,
        )
    ]
