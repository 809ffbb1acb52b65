from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("coupons", "0005_what_facts_copy"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="reservation",
            name="first_reserved_at",
            field=models.DateTimeField(null=True),
        ),
    ]
