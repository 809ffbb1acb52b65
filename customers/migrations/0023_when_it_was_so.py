from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0022_refunds_of_bills")]

    operations = [
        LockTimeout(),
        migrations.AddField("membership", "as_of", models.DateTimeField(null=True)),
        migrations.AddField("package", "as_of", models.DateTimeField(null=True)),
    ]
