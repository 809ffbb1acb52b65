from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("content", "0001_initial")]

    operations = [
        migrations.RemoveField(model_name="templateversion", name="dlt_template_id"),
        migrations.RemoveField(model_name="templateversion", name="vendor_template_id"),
        migrations.AddField(
            model_name="templateversion",
            name="sms_ids",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
