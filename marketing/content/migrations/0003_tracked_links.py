from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("content", "0002_sms_ids_per_language")]

    operations = [
        migrations.AddField(
            model_name="templateversion",
            name="tracks_links",
            field=models.BooleanField(db_default=False),
        ),
    ]
