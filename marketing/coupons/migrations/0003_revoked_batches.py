from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("coupons", "0002_counter_settings"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="codebatch",
            name="revoked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="codebatch",
            name="spares_used",
            field=models.BooleanField(db_default=False),
        ),
    ]
