from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0014_spell_searched_names_in_one_way")]

    operations = [
        LockTimeout(),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(
                fields=["job", "customer_id"],
                condition=models.Q(customer_id__isnull=False),
                name="import_row_of_known",
            ),
        ),
    ]
