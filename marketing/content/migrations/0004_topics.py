import django.db.models.deletion
from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("content", "0003_tracked_links"), ("customers", "0011_preferences")]
    operations = [
        LockTimeout(),
        migrations.AddField(
            "MessageTemplate",
            "topic",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.messagetopic",
            ),
        ),
    ]
