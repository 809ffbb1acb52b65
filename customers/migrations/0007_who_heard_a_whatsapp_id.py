from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_suppression_until")]
    operations = [
        LockTimeout(),
        migrations.AddField("ContactPoint", "heard_by", models.UUIDField(blank=True, null=True)),
    ]
