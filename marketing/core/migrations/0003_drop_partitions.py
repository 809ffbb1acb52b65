from django.db import migrations

FUNCTION = """
-- Drops the partitions of an append table that lie wholly before a month; returns their number.
CREATE FUNCTION drop_partitions(parent text, before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    child text;
    dropped integer := 0;
BEGIN
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(parent) AND c.relname ~ '_[0-9]{6}$'
          AND right(c.relname, 6) < to_char(before, 'YYYYMM')
    LOOP
        EXECUTE format('DROP TABLE %I', child);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0002_partition_functions")]
    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION drop_partitions")]
