from django.db import migrations

# An id holds its moment cut off to the millisecond: a bound rounded up would leave out ids that
# were made at the very moment it is asked for.
FUNCTION = """
CREATE OR REPLACE FUNCTION uuid_bound(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    lpad(to_hex({milliseconds}::bigint), 12, '0') || repeat('0', 20)
)::uuid;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0004_partition_fullness")]
    operations = [
        migrations.RunSQL(
            FUNCTION.format(milliseconds="floor(extract(epoch FROM moment) * 1000)"),
            FUNCTION.format(milliseconds="(extract(epoch FROM moment) * 1000)"),
        )
    ]
