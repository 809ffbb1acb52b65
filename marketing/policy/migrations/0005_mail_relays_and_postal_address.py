"""Where the chain can be written to; accounts of servers that have no address of an API."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policy", "0004_connection_tests")]

    operations = [
        migrations.AddField(
            model_name="marketingconfig",
            name="postal_address",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AlterField(
            model_name="provideraccount",
            name="base_url",
            field=models.URLField(blank=True, max_length=255),
        ),
    ]
