import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policy", "0002_vendors_and_portfolios")]

    operations = [
        migrations.AddField(
            model_name="marketingconfig",
            name="track_whatsapp_links",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="marketingconfig",
            name="track_sms_links",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="marketingconfig",
            name="track_email_links",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="marketingconfig",
            name="track_opens",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="marketingconfig",
            name="add_utm",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="marketingconfig",
            name="link_days",
            field=models.PositiveSmallIntegerField(
                blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)]
            ),
        ),
        migrations.AddField(
            model_name="marketingconfig",
            name="website",
            field=models.URLField(blank=True, max_length=255),
        ),
    ]
