from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0005_festivals")]
    operations = [
        LockTimeout(),
        migrations.AddField(
            "Campaign",
            "slot_values",
            models.JSONField(blank=True, db_default={}, default=dict),
        ),
    ]
