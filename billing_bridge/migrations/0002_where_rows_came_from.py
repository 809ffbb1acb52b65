from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing_bridge", "0001_raw_rows"),
    ]

    operations = [
        migrations.AddField(
            model_name="rawrow",
            name="source",
            field=models.CharField(
                choices=[("api", "API"), ("counter", "Counter's page")],
                db_default="api",
                default="api",
                max_length=10,
            ),
        ),
    ]
