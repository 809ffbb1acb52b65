import django.db.models.deletion
from django.db import migrations, models

import marketing.core.tenancy
from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("delivery", "0014_figures_of_chains")]

    operations = [
        LockTimeout(),
        migrations.AlterField(
            model_name="batchcost",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                default=marketing.core.tenancy.open_tenant_id,
                editable=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="core.tenant",
            ),
        ),
    ]
