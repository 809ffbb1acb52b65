from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("delivery", "0003_modes_money_and_reasons")]

    operations = [
        LockTimeout(),
        migrations.RemoveField(model_name="sendrun", name="reserved"),
        migrations.AddField(
            model_name="message",
            name="fallback_cost",
            field=models.DecimalField(decimal_places=4, max_digits=10, null=True),
        ),
        migrations.AddIndex(
            model_name="batchcost",
            index=models.Index(
                condition=models.Q(("reserved__gt", 0)),
                fields=["tenant", "run_id"],
                name="batch_cost_promised",
            ),
        ),
    ]
