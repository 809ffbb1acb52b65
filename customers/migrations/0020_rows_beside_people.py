import django.db.models.deletion
from django.db import migrations, models

import marketing.core.tenancy
from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0007_keys_named_beside_the_columns"),
        ("customers", "0019_no_index_by_the_few"),
    ]

    operations = [
        LockTimeout(),
        migrations.RemoveConstraint(
            model_name="contactpoint",
            name="contact_point",
        ),
        migrations.RemoveIndex(
            model_name="contactpoint",
            name="contact_point_value",
        ),
        migrations.AlterField(
            model_name="consentrecord",
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
        migrations.AlterField(
            model_name="consentstate",
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
        migrations.AlterField(
            model_name="contactpoint",
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
        migrations.AlterField(
            model_name="customerfacts",
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
        migrations.AlterField(
            model_name="stalefacts",
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
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.UniqueConstraint(
                fields=("tenant", "kind", "value", "customer"), name="contact_point"
            ),
        ),
    ]
