from django.db import migrations

# Made by LIKE + CHECK + ATTACH, so that the parent is locked for a moment only. Its settings of
# storage are the DEFAULT partition's: a partitioned table has none.
ENSURE_PARTITIONS = """
CREATE OR REPLACE FUNCTION ensure_partitions(parent text, since date, until date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    month date := date_trunc('month', since);
    child text;
    first_id uuid;
    next_id uuid;
    made integer := 0;
    settings text;
BEGIN
    IF NOT public.is_append_table(parent) THEN
        RAISE EXCEPTION '% is not an append table', parent;
    END IF;
    SELECT string_agg(format('%I = %L', option_name, option_value), ', ') INTO settings
    FROM pg_class, pg_options_to_table(reloptions)
    WHERE oid = to_regclass(format('public.%I', parent || '_default'));
    PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions:' || parent));
    WHILE month <= until LOOP
        child := parent || '_' || to_char(month, 'YYYYMM');
        IF to_regclass(format('public.%I', child)) IS NULL THEN
            first_id := public.uuid_bound(month::timestamp AT TIME ZONE 'UTC');
            next_id := public.uuid_bound(
                (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
            EXECUTE format(
                'CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                child, parent);
            IF settings IS NOT NULL THEN
                EXECUTE format('ALTER TABLE public.%I SET (%s)', child, settings);
            END IF;
            EXECUTE format(
                'ALTER TABLE public.%I ADD CONSTRAINT bounds CHECK (id >= %L AND id < %L)',
                child, first_id, next_id);
            EXECUTE format(
                'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                parent, child, first_id, next_id);
            EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT bounds', child);
            EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, parlour_app', child);
            made := made + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0009_tills_of_keys")]
    operations = [migrations.RunSQL(ENSURE_PARTITIONS, migrations.RunSQL.noop)]
