from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("delivery", "0008_inbound_senders")]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="dispatchbatch",
            name="handed_on",
            field=models.PositiveIntegerField(db_default=0),
        ),
    ]
