import django.contrib.postgres.fields
from django.db import migrations, models

# The rows of an append table made since an id whose key names no row of the parent table, and three
# of their ids: of every chain, where the application's role sees one at a time. A parent of another
# chain is none.
FUNCTION = """
CREATE FUNCTION dangling_rows(
    child text, key text, parent text, since uuid, OUT dangling bigint, OUT examples uuid[]
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    same_chain text := '';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(child)) THEN
        RAISE EXCEPTION '% is not an append table', child;
    END IF;
    IF EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = to_regclass(parent) AND attname = 'tenant_id') THEN
        same_chain := 'AND p.tenant_id = c.tenant_id';
    END IF;
    EXECUTE format(
        'WITH gone AS (
             SELECT c.id FROM %I c
             WHERE c.id >= $1 AND c.%I IS NOT NULL
               AND NOT EXISTS (SELECT FROM %I p WHERE p.id = c.%I %s)
         )
         SELECT count(*), ARRAY(SELECT id FROM gone ORDER BY id LIMIT 3) FROM gone',
        child, key, parent, key, same_chain
    ) INTO dangling, examples USING since;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0005_bounds_round_down")]
    operations = [
        migrations.CreateModel(
            name="LooseKeyCheck",
            fields=[
                ("name", models.CharField(max_length=127, primary_key=True, serialize=False)),
                ("dangling", models.PositiveBigIntegerField()),
                (
                    "examples",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), size=None
                    ),
                ),
                ("checked_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION dangling_rows"),
    ]
