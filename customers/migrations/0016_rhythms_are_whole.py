from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0015_import_rows_of_known_people")]

    operations = [
        LockTimeout(),
        migrations.AlterField("categoryrhythm", "interval_days", models.FloatField()),
        migrations.AlterField("categoryrhythm", "due_on", models.DateField()),
    ]
