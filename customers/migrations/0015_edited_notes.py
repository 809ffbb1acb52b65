from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0014_preferences"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="customernote",
            name="edited_at",
            field=models.DateTimeField(null=True),
        ),
    ]
