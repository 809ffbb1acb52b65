from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("coupons", "0003_revoked_batches"),
    ]

    operations = [
        migrations.AddField(
            model_name="countersettings",
            name="prices_include_tax",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
