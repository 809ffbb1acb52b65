from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("delivery", "0007_what_people_decide")]
    operations = [
        LockTimeout(),
        migrations.RemoveIndex(model_name="inboundmessage", name="inbound_message_answered"),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(fields=["tenant", "sender"], name="inbound_message_sender"),
        ),
    ]
