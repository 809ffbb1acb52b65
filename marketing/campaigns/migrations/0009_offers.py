import django.db.models.deletion
from django.db import migrations, models

from marketing.core.migration_operations import LockTimeout


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0008_remember_shortfalls"),
        ("coupons", "0001_offers_codes_and_bills"),
    ]
    operations = [
        LockTimeout(),
        migrations.AddField(
            "Campaign",
            "coupon",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="campaigns",
                to="coupons.offer",
            ),
        ),
        migrations.AddField(
            "Campaign",
            "unique_codes",
            models.BooleanField(db_default=False, default=False),
        ),
    ]
