from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0020_rows_beside_people")]

    operations = [
        LockTimeout(),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(fields=["staff", "-visited_at"], name="visit_by_staff"),
        ),
    ]
