from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0016_rhythms_are_whole")]

    operations = [
        LockTimeout(),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                fields=["tenant", "latitude", "longitude"],
                condition=models.Q(latitude__isnull=False),
                name="customer_place",
            ),
        ),
    ]
