from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="customer",
            name="version",
            field=models.PositiveIntegerField(db_default=1),
        ),
    ]
