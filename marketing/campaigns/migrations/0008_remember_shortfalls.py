from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0007_keep_all_authors")]
    operations = [
        LockTimeout(),
        migrations.AddField("Campaign", "short_of", models.JSONField(null=True)),
    ]
