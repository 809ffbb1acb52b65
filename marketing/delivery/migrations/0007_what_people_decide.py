from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("delivery", "0006_tracked_links")]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="message",
            name="discarded_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="batchreason",
            name="closed",
            field=models.IntegerField(db_default=0),
        ),
    ]
