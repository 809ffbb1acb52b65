from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [("core", "0011_analyze_news_less_often")]
    operations = [
        LockTimeout(),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    # What is long comes compressed: to try it again would be in vain.
                    """
                    ALTER TABLE core_idempotencyrecord
                        ALTER COLUMN response TYPE bytea USING convert_to(response::text, 'UTF8'),
                        ALTER COLUMN response SET STORAGE EXTERNAL
                    """,
                    # Compressed answers are forgotten.
                    """
                    DELETE FROM core_idempotencyrecord;
                    ALTER TABLE core_idempotencyrecord
                        ALTER COLUMN response TYPE jsonb USING NULL,
                        ALTER COLUMN response SET STORAGE EXTENDED
                    """,
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="idempotencyrecord",
                    name="response",
                    field=models.BinaryField(null=True),
                )
            ],
        ),
    ]
