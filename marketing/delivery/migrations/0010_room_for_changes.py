from django.db import migrations

from marketing.core.migration_operations import LockTimeout

# A message changes four times within minutes, a contact load with every message. Where its page
# has room, a new version of a row needs no new entry in any index (a HOT update).
ROOM = """
ALTER TABLE delivery_contactload SET (fillfactor = 50);
DO $$
DECLARE
    child regclass;
BEGIN
    FOR child IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'delivery_message'::regclass LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 50)', child);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0009_handed_on"), ("core", "0004_partition_fullness")]
    operations = [LockTimeout(), migrations.RunSQL(ROOM, migrations.RunSQL.noop)]
