from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_drop_doubled_indexes")]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="suppression",
            name="until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="reason",
            field=models.CharField(
                choices=[
                    ("hard_bounce", "Hard bounce"),
                    ("complaint", "Complaint"),
                    ("invalid", "Invalid address"),
                    ("opted_out", "Opted out at the provider"),
                    ("unreachable", "Not reachable for now"),
                ],
                max_length=20,
            ),
        ),
    ]
