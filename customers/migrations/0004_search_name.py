import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_drop_partitions"),
        ("customers", "0003_facts_defaults"),
    ]

    operations = [
        LockTimeout(),
        migrations.RemoveIndex(
            model_name="customer",
            name="customer_name_trigrams",
        ),
        migrations.AddField(
            model_name="customer",
            name="search_name",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Lower(
                    django.db.models.functions.text.Concat(
                        "first_name", models.Value(" "), "last_name"
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("search_name", "gin_trgm_ops"),
                name="customer_name_trigrams",
            ),
        ),
    ]
