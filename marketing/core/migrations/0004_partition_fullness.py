from django.db import migrations

FUNCTION = """
-- Made by LIKE + CHECK + ATTACH, so that the parent is locked for a moment only. How full pages
-- are written is as the DEFAULT partition says: a partitioned table has no such setting.
CREATE OR REPLACE FUNCTION ensure_partitions(parent text, since date, until date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    month date := date_trunc('month', since);
    child text;
    first_id uuid;
    next_id uuid;
    made integer := 0;
    fullness text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(parent)) THEN
        RAISE EXCEPTION '% is not an append table', parent;
    END IF;
    SELECT option_value INTO fullness
    FROM pg_class, pg_options_to_table(reloptions)
    WHERE oid = to_regclass(parent || '_default') AND option_name = 'fillfactor';
    PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions:' || parent));
    WHILE month <= until LOOP
        child := parent || '_' || to_char(month, 'YYYYMM');
        IF to_regclass(child) IS NULL THEN
            first_id := uuid_bound(month::timestamp AT TIME ZONE 'UTC');
            next_id := uuid_bound((month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                           child, parent);
            IF fullness IS NOT NULL THEN
                EXECUTE format('ALTER TABLE %I SET (fillfactor = %s)', child, fullness);
            END IF;
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
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0003_drop_partitions")]
    operations = [migrations.RunSQL(FUNCTION, migrations.RunSQL.noop)]
