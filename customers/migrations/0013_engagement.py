from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_search_keys_and_note_edits")]
    operations = [
        LockTimeout(),
        migrations.AddField(
            "CustomerFacts", "engaged_90_days", models.PositiveIntegerField(db_default=0)
        ),
        migrations.AddField("CustomerFacts", "last_engaged_at", models.DateTimeField(null=True)),
    ]
