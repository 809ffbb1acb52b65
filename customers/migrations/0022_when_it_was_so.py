from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0021_visits_by_staff")]

    operations = [
        LockTimeout(),
        migrations.AddField("membership", "as_of", models.DateTimeField(null=True)),
        migrations.AddField("package", "as_of", models.DateTimeField(null=True)),
    ]
