from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_keep_editors_and_due_times")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="channel_mode",
            field=models.CharField(
                choices=[
                    ("single", "One channel"),
                    ("cascade", "The next channel when one fails"),
                    ("all", "All channels at once"),
                ],
                default="single",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="further_steps",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
