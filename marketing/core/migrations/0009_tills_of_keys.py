from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0008_notifications_and_delegations")]

    operations = [
        migrations.AddField(
            "apikey", "terminal", models.CharField(blank=True, db_default="", max_length=60)
        ),
    ]
