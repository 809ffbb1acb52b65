from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("customers", "0026_what_others_keep_in_facts")]

    operations = [
        LockTimeout(),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(birth_date__isnull=False),
                fields=["tenant", "birth_date"],
                name="customer_birthday",
            ),
        ),
    ]
