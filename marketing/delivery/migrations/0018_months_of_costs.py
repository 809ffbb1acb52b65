from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0007_keys_named_beside_the_columns"),
        ("delivery", "0017_open_circuits_of_chains"),
    ]

    operations = [
        LockTimeout(),
        migrations.RemoveConstraint(
            model_name="batchcost",
            name="batch_cost",
        ),
        migrations.AddField(
            model_name="batchcost",
            name="month",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="sendrun",
            name="charged_from",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="batchcost",
            constraint=models.UniqueConstraint(
                fields=("batch_id", "branch_id", "month"), name="batch_cost", nulls_distinct=False
            ),
        ),
    ]
