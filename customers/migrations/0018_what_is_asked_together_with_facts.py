import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout

TEXTS = {"status": 10, "gender": 10, "language": 10, "preferred_channel": 20}
FLAGS = (
    *(
        f"{channel}_{purpose}"
        for channel in ("whatsapp", "sms", "email")
        for purpose in ("promotional", "service")
    ),
    "is_dnd",
    "marketing_opted_out",
)


def copy(name: str, field: models.Field) -> migrations.AddField:
    return migrations.AddField("CustomerFacts", name, field)


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0007_keys_named_beside_the_columns"),
        ("customers", "0017_customers_by_place"),
    ]
    operations = [
        LockTimeout(),
        *(copy(name, models.CharField(max_length=n, null=True)) for name, n in TEXTS.items()),
        *(copy(name, models.BooleanField(null=True)) for name in FLAGS),
        copy("birth_date", models.DateField(null=True)),
        copy("anniversary", models.DateField(null=True)),
        copy("entered_at", models.DateTimeField(null=True)),
        copy(
            "tags",
            django.contrib.postgres.fields.ArrayField(models.CharField(max_length=50), null=True),
        ),
        copy(
            "home_branch",
            models.ForeignKey(
                "core.branch",
                on_delete=django.db.models.deletion.SET_NULL,
                null=True,
                related_name="+",
                db_constraint=False,
                db_index=False,
            ),
        ),
        # Workers fill the copies in; whoever is marked is asked about herself until then.
        migrations.RunSQL(
            """
            INSERT INTO customers_stalefacts (tenant_id, customer_id)
            SELECT tenant_id, id FROM customers_customer
            """,
            migrations.RunSQL.noop,
        ),
    ]
