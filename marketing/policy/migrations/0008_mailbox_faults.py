from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("policy", "0007_exchange_rates"),
    ]

    operations = [
        migrations.AddField(
            model_name="provideraccount",
            name="mailbox_fault",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="mailbox_failing_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
