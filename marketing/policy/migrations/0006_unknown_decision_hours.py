from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policy", "0005_mail_relays_and_postal_address")]

    operations = [
        migrations.AddField(
            model_name="marketingconfig",
            name="unknown_decision_hours",
            field=models.PositiveSmallIntegerField(default=24),
        ),
    ]
