from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("content", "0004_topics")]
    operations = [
        LockTimeout(),
        migrations.AddField(
            "MessageTemplate", "is_locked", models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField(
            "TemplateVersion",
            "slots",
            models.JSONField(blank=True, db_default=[], default=list),
        ),
    ]
