import django.contrib.postgres.fields
from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout

# The owner of the tables sees the rows of every chain only while their policy is not forced.
FILL = """
ALTER TABLE campaigns_campaign NO FORCE ROW LEVEL SECURITY;
ALTER TABLE core_auditentry NO FORCE ROW LEVEL SECURITY;
UPDATE campaigns_campaign campaign SET author_ids = (
    SELECT coalesce(array_agg(DISTINCT hand), '{}')
    FROM (
        SELECT unnest(ARRAY[created_by_id, edited_by_id, submitted_by_id]) AS hand
        UNION SELECT user_id FROM core_auditentry
        WHERE object_type = 'campaigns.campaign' AND object_id = campaign.id
          AND action IN ('campaign.edit', 'campaign.submit')
    ) AS hands
    WHERE hand IS NOT NULL
);
ALTER TABLE core_auditentry FORCE ROW LEVEL SECURITY;
ALTER TABLE campaigns_campaign FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0006_slot_values"),
        ("core", "0008_notifications_and_delegations"),
    ]
    operations = [
        LockTimeout(),
        migrations.AddField(
            "Campaign",
            "author_ids",
            django.contrib.postgres.fields.ArrayField(
                models.UUIDField(), blank=True, db_default=[], default=list
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RemoveField("Campaign", "edited_by"),
    ]
