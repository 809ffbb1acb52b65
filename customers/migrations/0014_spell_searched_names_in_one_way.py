from django.db import migrations, models
from django.db.models.functions import Concat, Length, Lower
from django.db.models.lookups import GreaterThan

from marketing.core.migration_operations import LockTimeout

LATIN = "0123456789abcdefghijklmnopqrstuvwxyz"
FOREIGN = "".join(map(chr, [*range(0x0600, 0x0700), *range(0x0900, 0x0D80)]))
AS_LATIN = "".join(LATIN[(ord(letter) & 0x7F) % len(LATIN)] for letter in FOREIGN)
NAME = Lower(
    models.Func(
        Concat("first_name", models.Value(" "), "last_name"),
        function="normalize",
        template="%(function)s(%(expressions)s, NFKC)",
        output_field=models.TextField(),
    )
)
FULL_NAME = "first_name || ' ' || last_name"
BEFORE, AFTER = f"lower({FULL_NAME})", f"lower(normalize({FULL_NAME}, NFKC))"


def generate_from(name: str) -> str:
    """Both columns in one statement, so that the table is written anew once only."""
    return f"""
        ALTER TABLE customers_customer
            ALTER COLUMN search_name SET EXPRESSION AS ({name}),
            ALTER COLUMN search_key SET EXPRESSION AS (
                CASE WHEN octet_length({name}) > length({name})
                     THEN translate({name}, '{FOREIGN}', '{AS_LATIN}') END
            )
    """


class Migration(migrations.Migration):
    dependencies = [("customers", "0013_engagement")]

    operations = [
        LockTimeout(),
        migrations.RunSQL(
            generate_from(AFTER),
            generate_from(BEFORE),
            # Django itself can change no generated column.
            state_operations=[
                migrations.AlterField(
                    model_name="customer",
                    name="search_name",
                    field=models.GeneratedField(
                        db_persist=True, expression=NAME, output_field=models.TextField()
                    ),
                ),
                migrations.AlterField(
                    model_name="customer",
                    name="search_key",
                    field=models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                GreaterThan(
                                    models.Func(NAME, function="octet_length"), Length(NAME)
                                ),
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
            ],
        ),
        # A new expression leaves a column without statistics, and nobody notices that it changed.
        migrations.RunSQL(
            "ANALYZE customers_customer (search_name, search_key)", migrations.RunSQL.noop
        ),
    ]
