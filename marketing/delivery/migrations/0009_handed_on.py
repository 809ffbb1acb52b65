from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0008_inbound_senders")]

    operations = [
        migrations.AddField(
            model_name="dispatchbatch",
            name="handed_on",
            field=models.PositiveIntegerField(db_default=0),
        ),
    ]
