import django.contrib.postgres.indexes
from django.db import migrations, models
from django.db.models.functions import Concat, Length, Lower
from django.db.models.lookups import GreaterThan

from marketing.core.migration_operations import LockTimeout

LATIN = "0123456789abcdefghijklmnopqrstuvwxyz"
FOREIGN = "".join(map(chr, [*range(0x0600, 0x0700), *range(0x0900, 0x0D80)]))
AS_LATIN = "".join(LATIN[(ord(letter) & 0x7F) % len(LATIN)] for letter in FOREIGN)
NAME = Lower(Concat("first_name", models.Value(" "), "last_name"))


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0011_preferences"),
    ]

    operations = [
        LockTimeout(),
        migrations.AddField(
            model_name="customernote",
            name="edited_at",
            field=models.DateTimeField(null=True),
        ),
        # Writes the whole table anew: a virtual column takes no index, and an index over the
        # expression would be out of reach under row-level security.
        migrations.AddField(
            model_name="customer",
            name="search_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        GreaterThan(models.Func(NAME, function="octet_length"), Length(NAME)),
                        then=models.Func(
                            NAME,
                            models.Value(FOREIGN),
                            models.Value(AS_LATIN),
                            function="translate",
                        ),
                    ),
                    default=None,
                    output_field=models.TextField(null=True),
                ),
                output_field=models.TextField(null=True),
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("search_key", name="gin_trgm_ops"),
                condition=models.Q(("search_key__isnull", False)),
                name="customer_key_trigrams",
            ),
        ),
    ]
