import django.contrib.postgres.fields
from django.db import migrations, models

# Each function runs as the owner: what the application's role names must be a table of the
# product, not one that the role made for itself (a temporary one, or in a schema of its own).
IS_APPEND_TABLE = """
CREATE FUNCTION is_append_table(name text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
    SELECT FROM pg_catalog.pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname = name AND relkind = 'p'
);
"""

# The rows made since an id (an append table's own id, else the id they name) whose key names no
# row of the parent table, and three of their ids: of every chain, where the application's role
# sees one at a time. A parent of another chain is none.
DANGLING_ROWS = """
DROP FUNCTION dangling_rows(text, text, text, uuid);
CREATE FUNCTION dangling_rows(
    child text, key text, parent text, since uuid, OUT dangling bigint, OUT examples text[]
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dated text := 'id';
    same_chain text := '';
BEGIN
    IF NOT (public.is_append_table(child) OR public.is_append_table(parent)) THEN
        RAISE EXCEPTION 'neither % nor % is an append table', child, parent;
    END IF;
    IF 2 <> (SELECT count(*) FROM unnest(ARRAY[child, parent]) AS name
             JOIN pg_class ON relname = name
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')) THEN
        RAISE EXCEPTION '% and % are not both tables of the product', child, parent;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute
                   WHERE attrelid = format('public.%I', child)::regclass
                     AND attname = 'id' AND atttypid = 'uuid'::regtype) THEN
        dated := key;
    END IF;
    IF EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = format('public.%I', parent)::regclass
                 AND attname = 'tenant_id') THEN
        same_chain := 'AND p.tenant_id = c.tenant_id';
    END IF;
    EXECUTE format(
        'WITH gone AS (
             SELECT c.id FROM public.%I c
             WHERE c.%I >= $1 AND c.%I IS NOT NULL
               AND NOT EXISTS (SELECT FROM public.%I p WHERE p.id = c.%I %s)
         )
         SELECT count(*), ARRAY(SELECT id::text FROM gone ORDER BY id LIMIT 3) FROM gone',
        child, dated, key, parent, key, same_chain
    ) INTO dangling, examples USING since;
END $$;
"""

STRAY_ROWS = """
CREATE OR REPLACE FUNCTION default_has_rows(parent text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    answer boolean;
BEGIN
    IF NOT public.is_append_table(parent) THEN
        RAISE EXCEPTION '% is not an append table', parent;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', parent || '_default') INTO answer;
    RETURN answer;
END $$;
"""

# Made by LIKE + CHECK + ATTACH, so that the parent is locked for a moment only. How full pages
# are written is as the DEFAULT partition says: a partitioned table has no such setting.
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
    fullness text;
BEGIN
    IF NOT public.is_append_table(parent) THEN
        RAISE EXCEPTION '% is not an append table', parent;
    END IF;
    SELECT option_value INTO fullness
    FROM pg_class, pg_options_to_table(reloptions)
    WHERE oid = to_regclass(format('public.%I', parent || '_default'))
      AND option_name = 'fillfactor';
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
            IF fullness IS NOT NULL THEN
                EXECUTE format('ALTER TABLE public.%I SET (fillfactor = %s)', child, fullness);
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

# Drops the partitions of an append table that lie wholly before a month; returns their number.
DROP_PARTITIONS = """
CREATE OR REPLACE FUNCTION drop_partitions(parent text, before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    child text;
    dropped integer := 0;
BEGIN
    IF NOT public.is_append_table(parent) THEN
        RAISE EXCEPTION '% is not an append table', parent;
    END IF;
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = format('public.%I', parent)::regclass AND c.relname ~ '_[0-9]{6}$'
          AND right(c.relname, 6) < to_char(before, 'YYYYMM')
    LOOP
        EXECUTE format('DROP TABLE public.%I', child);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0006_parents_of_append_tables")]
    operations = [
        migrations.AlterField(
            "LooseKeyCheck",
            "examples",
            django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None),
        ),
        migrations.AddField("LooseKeyCheck", "since", models.DateTimeField(null=True)),
        migrations.RunSQL(
            "UPDATE core_loosekeycheck SET since = checked_at - interval '25 hours'",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField("LooseKeyCheck", "since", models.DateTimeField()),
        migrations.RunSQL([IS_APPEND_TABLE, DANGLING_ROWS]),
        migrations.RunSQL([STRAY_ROWS, ENSURE_PARTITIONS, DROP_PARTITIONS]),
    ]
